import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../e2e/stack.ts';
import { type CodeBlock, codeBlocks, readPage, root } from './documents.ts';

const run = promisify(execFile);
const steps = codeBlocks(readPage('docs/add-a-listener.md'));

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(path.join(os.tmpdir(), 'switchboard-docs-'));
  const folders = [
    'bin',
    'cli',
    'client',
    'console',
    'core',
    'lambdas',
    'lib',
    'local',
    'protocol',
    'publisher',
    'scripts',
  ];
  const testFiles = [
    'test/e2e/stack.ts',
    'test/e2e/client.ts',
    'test/global-setup.ts',
    'test/table-schemas.ts',
    'test/queue.ts',
  ];
  const files = ['cdk.json', 'package.json', 'tsconfig.json', 'vitest.config.ts', ...testFiles];
  for (const name of [...folders, ...files]) {
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'dir');
  for (const step of steps) apply(step);
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('docs/add-a-listener.md, followed to the letter', () => {
  it('changes the table of listeners and adds two files, nothing else', () => {
    expect(steps.flatMap(({ file }) => file ?? [])).toEqual([
      'core/listeners/typing-start.ts',
      'core/listeners/index.ts',
      'test/e2e/typing-start.test.ts',
    ]);
  });

  it('gives a stack that runs the new type', { timeout: 180_000 }, async () => {
    const assembly = path.join(copy, 'cdk.out');
    const env = { ...process.env, CDK_OUTDIR: assembly };
    await run(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { cwd: copy, env });
    const stack: Stack = await startStack({ assembly });
    try {
      const client = await stack.connect({ user: '42' });
      const other = await stack.connect({ user: '43' });
      client.send(exampleFrame());
      expect(await other.next()).toEqual({
        type: 'typing-started',
        content: {},
        messageId: expect.any(String) as string,
        from: { tenant: 'default', userType: 'member', userId: '42' },
      });
      await client.expectSilence();
    } finally {
      await stack.close();
    }
  });

  it('gives a test that passes', { timeout: 180_000 }, async () => {
    const command = steps.find(({ language }) => language === 'sh')?.code.trim() ?? '';
    const file = command.replace(/^npm test -- /, '');
    const { stdout } = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', file], {
      cwd: copy,
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(stdout).toMatch(/Tests +2 passed/);
  });
});

function exampleFrame(): unknown {
  return JSON.parse(steps.find(({ language }) => language === 'json')?.code ?? '');
}

function apply({ language, file, code }: CodeBlock): void {
  if (file === undefined) return;
  const target = path.join(copy, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, language === 'diff' ? patched(readFileSync(target, 'utf8'), code) : code);
}

/** Applies a diff without line numbers. The lines that it removes and keeps must be there exactly once. */
function patched(text: string, diff: string): string {
  return diff.split(/^@@\n/m).reduce((current, hunk) => {
    const lines = hunk.split('\n').filter((line) => line !== '');
    const side = (without: string) =>
      lines
        .filter((line) => !line.startsWith(without))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    expect(current.split(side('+'))).toHaveLength(2);
    return current.replace(side('+'), () => side('-'));
  }, text);
}
