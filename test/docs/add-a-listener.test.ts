import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { defineListener } from '../../core/listener.ts';
import { callListener } from '../../core/testing.ts';
import { startStack } from '../e2e/stack.ts';
import { codeBlocks, readPage, root, tableRows } from './documents.ts';
import { makeApp } from './own-app.ts';

const run = promisify(execFile);
const page = readPage('docs/add-a-listener.md');
const steps = codeBlocks(page);
const files = steps.filter(({ file }) => file !== undefined);

/** A folder outside the repository, with the files of the page. */
let app: string;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-docs-'));
  app = makeApp(folder, files);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/add-a-listener.md, followed to the letter', () => {
  it('makes a module, an app and a test', () => {
    expect(files.map(({ file }) => file)).toEqual(['listeners.ts', 'app.ts', 'listeners.test.ts']);
  });

  it('gives a stack that runs the new type', { timeout: 180_000 }, async () => {
    await run(process.execPath, ['--import', 'tsx', 'app.ts'], { cwd: app });
    const stack = await startStack({ assembly: path.join(app, 'cdk.out') });
    try {
      const client = await stack.connect({ user: '42' });
      const other = await stack.connect({ user: '43' });
      expect(await client.ask(exampleFrame())).toMatchObject({ type: 'ack', content: { isOnline: true } });
      expect(await other.next()).toEqual({
        type: 'typing-started',
        content: {},
        messageId: expect.any(String) as string,
        from: { tenant: 'default', userType: 'member', userId: '42' },
      });
    } finally {
      await stack.close();
    }
  });

  it('shows the line of a mistake, and no trace of CDK', { timeout: 60_000 }, async () => {
    const file = path.join(app, 'listeners.ts');
    const [first] = files;
    writeFileSync(file, 'export default [\n  { a: }\n];\n');
    const failed = run(process.execPath, ['--import', 'tsx', 'app.ts'], { cwd: app });
    const stderr = await failed.then(
      () => 'It did not fail.',
      (error: unknown) => z.parse(z.looseObject({ stderr: z.string() }), error).stderr,
    );
    writeFileSync(file, first?.code ?? '');
    expect(stderr).toContain('listeners.ts:2:7:\n      2 │   { a: }\n');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('gives tests that pass without a stack', { timeout: 180_000 }, async () => {
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
    const env = { ...process.env, NO_COLOR: '1' };
    const { stdout } = await run(process.execPath, [vitest, 'run'], { cwd: app, env });
    expect(stdout).toMatch(/Tests +3 passed/);
  });
});

describe('the tables of docs/add-a-listener.md', () => {
  it('name every field that a listener gets', async () => {
    const fields = tableRows(page, 'field', 'type').map(([name]) => name);
    const describing = defineListener({
      type: 'describe',
      content: z.unknown(),
      handle: ({ content: _content, from, session, topics, watch, presence, sessions, ...functions }) => [
        'content',
        ...keysOf({ from }),
        'session',
        ...keysOf({ session }),
        ...keysOf({ topics }),
        ...keysOf({ watch }),
        ...keysOf({ presence }),
        ...keysOf({ sessions }),
        ...Object.keys(functions),
      ],
    });
    const frame = { type: 'describe', content: 1 };
    const { ack } = await callListener([describing], frame, { claims: { role: 'admin' } });
    expect(z.parse(z.array(z.string()), ack).toSorted()).toEqual(fields.toSorted());
  });
});

function keysOf(object: Readonly<Record<string, object | undefined>>): string[] {
  return Object.entries(object).flatMap(([name, fields]) =>
    Object.keys(fields ?? {}).map((key) => `${name}.${key}`),
  );
}

function exampleFrame(): object {
  return z.parse(
    z.looseObject({}),
    JSON.parse(steps.find(({ language }) => language === 'json')?.code ?? ''),
  );
}
