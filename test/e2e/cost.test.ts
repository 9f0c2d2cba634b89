import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from './stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** How often each DynamoDB operation was called while `act` ran. */
async function operations(act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = stack.cloud.meter.snapshot();
  await act();
  const after = Object.entries(stack.cloud.meter.snapshot());
  const grown = after.map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([name, by]) => /^dynamodb\.[A-Z]/.test(name) && by > 0));
}

describe('DynamoDB', () => {
  it('is asked for one write by a connect, none by a message, one query by a publish to a user, one delete by a disconnect', async () => {
    const connect = await operations(() => stack.connect({ user: 'costs' }));
    expect(connect).toEqual({ 'dynamodb.PutItem': 1 });

    const client = await stack.connect({ user: 'messages' });
    const message = await operations(async () => {
      expect(await client.ask('{"type":"ping","id":"1"}')).toMatchObject({ type: 'pong' });
      expect(await client.ask({ type: 'nope' })).toMatchObject({ type: 'error' });
      client.send('ping');
      expect(await client.nextText()).toBe('pong');
    });
    expect(message).toEqual({});

    const publish = await operations(() => stack.publish({ to: 'user:member:costs', type: 'x', content: 1 }));
    expect(publish).toEqual({ 'dynamodb.Query': 1 });

    const disconnect = await operations(async () => {
      await client.close();
      await expect.poll(() => stack.lines.some((line) => line.startsWith('DISCONNECT'))).toBe(true);
    });
    expect(disconnect).toEqual({ 'dynamodb.DeleteItem': 1 });
  });
});
