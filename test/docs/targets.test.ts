import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LifecycleEvent } from '../../core/lifecycle/event.ts';
import type { MessageEvent, TargetEvent } from '../../core/targets/event.ts';
import { createSend } from '../../core/targets/send.ts';
import { systemClock } from '../../core/clock.ts';
import { Queue } from '../queue.ts';
import { codeBlocks, readPage } from './documents.ts';

const page = readPage('docs/targets.md');
const secret = `whsec_${'A'.repeat(32)}`;
const [message, disconnected] = codeBlocks(page)
  .filter(({ language }) => language === 'json')
  .map(({ code }) => JSON.parse(code) as TargetEvent) as [MessageEvent, LifecycleEvent];

let folder: string;
let hook: ChildProcess;
let url: string;
const lines = new Queue<string>();
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-hook-'));
  const code = codeBlocks(page).find(({ file }) => file === 'hook.py')?.code ?? '';
  await writeFile(path.join(folder, 'hook.py'), code);
  const env = { ...process.env, HOOK_SECRET: secret, PORT: '0' };
  hook = spawn('python3', ['hook.py'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
  if (hook.stdout) createInterface(hook.stdout).on('line', lines.push);
  const port = /^listening on port (\d+)$/.exec(await lines.next())?.[1] ?? '';
  url = `http://127.0.0.1:${port}/`;
});
afterAll(async () => {
  const ended = once(hook, 'exit');
  hook.kill();
  await ended;
  await rm(folder, { recursive: true });
});

function send(event: TargetEvent, { text = secret, now = systemClock.now } = {}): Promise<string> {
  const parts = { readSecret: () => Promise.resolve(text), endpoint: undefined, clock: { now } };
  return createSend({ url, secret: 'arn', timeoutMs: 20_000 }, parts)(event);
}

describe('the endpoint in Python', () => {
  it('answers a message, with content or with an error', async () => {
    const found = await send({ ...message, type: 'crm-find' } as MessageEvent);
    expect(JSON.parse(found)).toEqual({ content: { customer: '42' } });
    const error = { code: 'not_found', message: 'There is no order-create here.' };
    expect(JSON.parse(await send(message))).toEqual({ error });
  });

  it('takes what a lifecycle target is told', async () => {
    expect(await send(disconnected)).toBe('null');
    expect(await lines.next()).toBe('disconnected 42 Going away');
  });

  it('refuses another secret, and a signature older than five minutes', async () => {
    await expect(send(message, { text: 'B'.repeat(32) })).rejects.toThrow('status 401');
    const now = () => systemClock.now() - 6 * 60_000;
    await expect(send(message, { now })).rejects.toThrow('status 401');
  });

  it('refuses a request without a signature', async () => {
    const { status } = await fetch(url, { method: 'POST', body: JSON.stringify(message) });
    expect(status).toBe(401);
  });
});
