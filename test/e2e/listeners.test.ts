import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesise } from '../../scripts/synthesise.ts';
import { root } from '../docs/documents.ts';
import { startStack, type Stack } from './stack.ts';

const code = `import { defineListener } from 'switchboard/listener';
import * as z from 'zod';

export default [
  defineListener({
    type: 'rights',
    content: z.object({ topic: z.string() }),
    handle: ({ content, topics }) => ({ patterns: topics.patterns, allows: topics.allows(content.topic) }),
  }),
  defineListener({
    type: 'break',
    content: z.unknown(),
    handle({ log }) {
      log.info('about to break', { orderId: 7 });
      throw new Error('boom');
    },
  }),
];
`;

/** A stack with these listeners, and with the other settings of cdk.json. */
let stack: Stack;
beforeAll(async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'switchboard-own-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  mkdirSync(path.join(folder, 'lib'));
  const listeners = path.join(folder, 'lib/listeners.ts');
  writeFileSync(listeners, code);
  const assembly = path.join(folder, 'cdk.out');
  await synthesise(assembly, { context: { listeners } });
  stack = await startStack({ assembly });
});
afterAll(() => stack.close());

describe('a stack with listeners of its own', () => {
  it('runs them, on a connection and by POST /messages', async () => {
    const user = { user: 'anna', topics: ['orders.*'] };
    const frame = { type: 'rights', id: '1', content: { topic: 'orders.7' } };
    const ack = { type: 'ack', id: '1', content: { patterns: ['orders.*'], allows: true } };
    expect(await (await stack.connect(user)).ask(frame)).toEqual(ack);

    const token = new URL(await stack.webSocketUrl(user)).searchParams.get('token') ?? '';
    const response = await fetch(`${stack.url}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(frame),
    });
    expect(await response.json()).toEqual(ack);
  });

  it('has no other listeners: those of the examples are not there', async () => {
    const client = await stack.connect({ user: 'ben' });
    const frame = { type: 'demo-message-send', content: { text: 'hi' } };
    expect(await client.ask(frame)).toMatchObject({ content: { code: 'unknown_type' } });
  });

  it('logs what they log, and where in their TypeScript one failed', async () => {
    const client = await stack.connect({ user: 'carl' });
    expect(await client.ask({ type: 'break', id: '1' })).toMatchObject({ content: { code: 'internal' } });
    await expect.poll(() => stack.lines.join('\n')).toContain('listener failed');
    const lines = stack.lines.filter((line) => line.includes('"type":"break"'));
    expect(lines).toEqual([
      expect.stringMatching(/"about to break".*"orderId":7|"orderId":7.*"about to break"/),
      expect.stringMatching(/listeners\.ts:15\b/),
    ]);
    for (const line of lines) expect(line).toContain('"connectionId":"');
  });
});
