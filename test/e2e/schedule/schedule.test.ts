import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const notice = { type: 'notice-push', content: { title: 'later' } };

function publicationOf(messageId: string) {
  return stack.call('GET', `/publications/${messageId}`);
}

function cancel(messageId: string, query = '') {
  return stack.call('DELETE', `/publications/${messageId}${query}`);
}

describe('a publish with a deliverAt', () => {
  it('is scheduled, and delivered at its second', async () => {
    const client = await stack.connect({ user: 'ada' });
    const messageId = randomUUID();
    const deliverAt = Date.now() + 2500;
    const body = { ...notice, to: 'user:member:ada', messageId, deliverAt, report: 'recipients' };
    const scheduled = { status: 202, body: { messageId, status: 'scheduled', deliverAt } };
    expect(await stack.publish(body)).toEqual(scheduled);
    expect(await stack.publish({ ...body, deliverAt: new Date(deliverAt).toISOString() })).toEqual(scheduled);
    expect(await publicationOf(messageId)).toMatchObject({ body: { status: 'scheduled', deliverAt } });
    await client.expectSilence();

    expect(await client.next()).toEqual({ ...notice, messageId });
    expect(Date.now()).toBeGreaterThanOrEqual(deliverAt);
    await expect
      .poll(() => stack.call('GET', `/publications/${messageId}?recipients=true`), { timeout: 15_000 })
      .toMatchObject({
        body: { status: 'done', deliverAt, delivered: 1, recipients: [{ outcome: 'delivered' }] },
      });
    expect(await stack.publish(body)).toEqual(scheduled);
    expect((await cancel(messageId)).status).toBe(409);
    await client.expectSilence();
  });
});
