import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublisher } from '../../../publisher/index.ts';
import type { Delivered } from '../../../protocol/index.ts';
import { startStack, type Stack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  const client = await stack.connect({ user: '1', topics: ['*'] });
  await client.ask({ type: 'subscribe', content: { topic: 'orders.eu' }, id: 's' });
  await client.ask({ type: 'unsubscribe', content: { topic: 'orders.eu' }, id: 'u' });
});
afterAll(() => stack.close());

async function hintOf(to: string | string[], tenant?: string): Promise<string | undefined> {
  const { publish } = createPublisher({ url: `${stack.url}/publish` });
  const answer = await publish({ to, type: 'news', content: 1, ...(tenant !== undefined && { tenant }) });
  expect(answer).toMatchObject({ status: 'delivered', delivered: 0, gone: 0, failed: 0 });
  return (answer as Delivered).hint;
}

describe('a publish that reaches nobody', () => {
  it.each([
    ['everyone', 'acme', 'No session of the tenant `acme` was opened'],
    ['type:membr', 'default', 'No session of the user type `membr` was opened'],
    ['user:membr:1', 'default', 'No session of the user type `membr` was opened'],
    ['topic:orders.us', 'default', 'No session has subscribed to the topic `orders.us`'],
  ])('to %s of %s has a hint', async (to, tenant, hint) => {
    expect(await hintOf(to, tenant)).toContain(hint);
  });

  it.each(['user:member:away', 'session:c1=', 'topic:orders.eu'])('to %s has none', async (to) => {
    expect(await hintOf(to)).toBeUndefined();
  });
});
