import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { run, UsageError } from './command-line.ts';

/** Compiles what the package exports into `dist`. */
await run(() => {
  rmSync('dist', { recursive: true, force: true });
  const compiler = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
  const { status } = spawnSync(process.execPath, compiler, { stdio: 'inherit' });
  if (status !== 0) throw new UsageError('The build failed; the faults are above.');
  return Promise.resolve();
});
