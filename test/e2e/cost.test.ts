import { randomUUID } from 'node:crypto';
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
  it('is asked by each step for what docs/architecture.md says', async () => {
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

    const to = 'user:member:costs';
    const body = { to, type: 'x', content: 1, durable: true };
    const durable = await operations(() => stack.publish(body));
    expect(durable).toEqual({ 'dynamodb.UpdateItem': 1, 'dynamodb.PutItem': 1, 'dynamodb.Query': 1 });
    const recorded = await operations(() => stack.publish({ ...body, messageId: randomUUID() }));
    expect(recorded).toEqual({ 'dynamodb.UpdateItem': 3, 'dynamodb.PutItem': 2, 'dynamodb.Query': 1 });

    const costs = await stack.connect({ user: 'costs' });
    const recover = (epoch?: string) =>
      operations(async () => {
        const content = { channels: [{ channel: 'user', epoch }] };
        let frame = await costs.ask({ type: 'recover', id: 'r', content });
        while (frame['type'] !== 'ack') frame = await costs.next();
      });
    expect(await recover()).toEqual({ 'dynamodb.GetItem': 1 });
    expect(await recover('')).toEqual({ 'dynamodb.GetItem': 1, 'dynamodb.Query': 1 });

    const disconnect = await operations(async () => {
      await client.close();
      await expect.poll(() => stack.lines.some((line) => line.startsWith('DISCONNECT'))).toBe(true);
    });
    expect(disconnect).toEqual({ 'dynamodb.DeleteItem': 1 });
  });
});
