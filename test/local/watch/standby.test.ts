import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStandby } from '../../../local/watch/standby.ts';
import type { CdkApp } from '../../../local/watch/synthesis.ts';

/** Writes the version, and what it sees of its context, as its assembly. */
const program = (version: string) => `
  import { mkdirSync, writeFileSync } from 'node:fs';
  mkdirSync(process.env.CDK_OUTDIR, { recursive: true });
  const { greeting } = JSON.parse(process.env.CDK_CONTEXT_JSON);
  writeFileSync(process.env.CDK_OUTDIR + '/assembly', '${version} ' + greeting);
`;

async function prepareApp(command: string, name = 'app') {
  const root = mkdtempSync(join(tmpdir(), 'standby-'));
  const folder = join(root, name);
  mkdirSync(folder);
  const app = { command, folder, context: { greeting: 'hello' }, assembly: join(folder, 'cdk.out') };
  let current: CdkApp = app;
  const standby = await createStandby(() => current);
  onTestFinished(async () => {
    await standby.close();
    rmSync(root, { recursive: true });
  });
  const save = (text: string, file = 'app.mjs'): void => {
    writeFileSync(join(folder, file), text);
  };
  save(program('one'));
  return {
    standby,
    save,
    change: (next: Partial<CdkApp>) => (current = { ...app, ...next }),
    run: async () => {
      const result = await standby.run();
      return result.ok ? readFileSync(join(app.assembly, 'assembly'), 'utf8') : result.complaint;
    },
  };
}

describe('a synthesis from standby', { timeout: 60_000 }, () => {
  it.each([
    ['a program', 'node app.mjs', 'app'],
    ['a program in a folder named after a launcher', 'node app.mjs', 'tsx'],
    ['a chain of programs', 'node -e 0 && node app.mjs', 'app'],
    ['a program that another one starts', 'node start.mjs', 'app'],
    ['a shell', 'cat app.mjs > copy.mjs; node copy.mjs', 'app'],
  ])('runs the sources as they are saved: %s', async (_, command, name) => {
    const { standby, save, run } = await prepareApp(command, name);
    save(
      `import { execFileSync } from 'node:child_process'; execFileSync('node', ['app.mjs']);`,
      'start.mjs',
    );
    await standby.prepare();
    save(program('two'));
    expect(await run()).toBe('two hello');
  });

  it('takes the context as it is now', async () => {
    const { standby, change, run } = await prepareApp('node app.mjs');
    await standby.prepare();
    change({ context: { greeting: 'changed' } });
    expect(await run()).toBe('one changed');
  });

  it('gives a child with a pipe for its input no byte of its own', async () => {
    const parent = `
      import { execFileSync } from 'node:child_process';
      const code = "process.stdin.on('data', (chunk) => process.stdout.write('got ' + chunk))";
      const heard = execFileSync(process.execPath, ['-e', code], { input: 'input' });
      if (String(heard) !== 'got input') throw new Error('heard ' + heard);
    `;
    const { standby, save, run } = await prepareApp('node parent.mjs && node app.mjs');
    save(parent, 'parent.mjs');
    await standby.prepare();
    expect(await run()).toBe('one hello');
  });

  it('names the command of an app that fails without a message', async () => {
    const { run } = await prepareApp('exit 3');
    expect(await run()).toBe('exit 3 failed without a message.');
  });

  it('runs again and again', async () => {
    const { standby, save, run } = await prepareApp('node app.mjs');
    for (const version of ['two', 'three']) {
      save(program(version));
      expect(await run()).toBe(`${version} hello`);
      await standby.prepare();
    }
  });
});
