// `npm run build [-- switchboard|client|local]`: compiles the packages, each into its own `dist`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { buildSync } from 'esbuild';
import { CommandError, run, UsageError } from '../cli/command-line.ts';
import { bundleOthers } from '../lib/functions/bundles.ts';

const builds = new Map([
  ['switchboard', buildSwitchboard],
  ['client', buildClient],
  ['local', () => compile('local')],
]);

await run(() => {
  const given = process.argv.slice(2);
  for (const name of given.length > 0 ? given : builds.keys()) {
    const build = builds.get(name);
    if (build === undefined) {
      throw new UsageError(`There is no package ${name}. The packages are ${[...builds.keys()].join(', ')}.`);
    }
    build();
  }
  return Promise.resolve();
});

/** Bundles the functions that do not depend on the listeners of an app. */
function buildSwitchboard(): void {
  compile('.');
  mkdirSync('dist/functions');
  for (const [name, bundle] of bundleOthers())
    writeFileSync(`dist/functions/${name}.js`, bundle.get('index.js') ?? '');
}

/** Bundles the client into one module, without comments and unused parts of the protocol. tsc writes only the types. */
function buildClient(): void {
  compile('client');
  buildSync({
    entryPoints: ['client/index.ts'],
    outfile: 'client/dist/client/index.js',
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'warning',
  });
}

function compile(folder: string): void {
  rmSync(`${folder}/dist`, { recursive: true, force: true });
  const compiler = ['node_modules/typescript/bin/tsc', '-p', `${folder}/tsconfig.build.json`];
  const { status } = spawnSync(process.execPath, compiler, { stdio: 'inherit' });
  if (status !== 0) throw new CommandError('The build failed. The compiler named the faults above.');
}
