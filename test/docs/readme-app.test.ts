import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../e2e/stack.ts';
import { codeBlocks, readPage } from './documents.ts';
import { makeApp } from './own-app.ts';

const page = readPage('README.md');
const frame = JSON.parse(/`(\{"type":"order-create".*?\})`/.exec(page)?.[1] ?? '') as object;
/** The command of cdk.json. */
const [, command = ''] = /\{"app":"node (.*?)"\}/.exec(page) ?? [];

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-readme-'));
  const app = makeApp(folder, codeBlocks(page));
  const assembly = path.join(app, 'cdk.out');
  const env = { ...process.env, CDK_OUTDIR: assembly };
  await promisify(execFile)(process.execPath, command.split(' '), { cwd: app, env });
  stack = await startStack({ assembly });
});
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true });
});

describe('the app in README.md', () => {
  it('answers its frame, and tells the clerks', async () => {
    const buyer = await stack.connect({ user: '42' });
    const clerk = await stack.connect({ user: '1', type: 'clerk' });
    expect(await buyer.ask(frame)).toEqual({ type: 'ack', id: '1', content: { ordered: 'tea' } });
    expect(await clerk.next()).toMatchObject({ type: 'order-created', content: { sku: 'tea', by: '42' } });
  });

  it('has the outputs of its stack', () => {
    expect([...stack.cloud.deployment.outputs.keys()]).toEqual(['WebSocketUrl', 'PublishUrl']);
  });
});
