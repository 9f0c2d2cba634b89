import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublisher } from '../../../publisher/index.ts';
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
    // Starts the functions, so that the message is not due before it is looked at.
    const now = randomUUID();
    await stack.publish({ ...notice, to: 'topic:none', messageId: now });
    await publicationOf(now);
    const deliverAt = Date.now() + 5000;
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

  it('takes a time with an offset, over HTTP and by direct invocation', async () => {
    const client = await stack.connect({ user: 'ben' });
    const at = new Date(Date.now() + 3000);
    // The same moment on a clock two hours ahead.
    const local = new Date(at.getTime() + 2 * 3_600_000).toISOString().replace('Z', '+02:00');
    const name = stack.cloud.deployment.outputs.get('PublishFunctionName') ?? '';
    const publisher = createPublisher({ functionName: name, region: 'us-east-1', endpoint: stack.url });
    const answer = await publisher.publish({ ...notice, to: 'user:member:ben', deliverAt: local });
    const { messageId } = answer;
    expect(answer).toEqual({ messageId, status: 'scheduled', deliverAt: at.getTime() });
    expect(await client.next()).toEqual({ ...notice, messageId });
    expect(Date.now()).toBeGreaterThanOrEqual(at.getTime());
  });

  it('is what the flag --at sends', async () => {
    const moment = Date.now() + 3_600_000;
    for (const at of [String(moment), new Date(moment).toISOString()]) {
      const flags = [
        '--to',
        'everyone',
        '--type',
        'x',
        '--content',
        '1',
        '--at',
        at,
        '--endpoint',
        stack.url,
      ];
      const args = ['--import', 'tsx', 'cli/switchboard.ts', 'publish', ...flags];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(JSON.parse(stdout)).toMatchObject({ status: 'scheduled', deliverAt: moment });
    }
  });

  const form = 'must be epoch milliseconds, or a time with an offset such as 2026-12-24T18:00:00+01:00';
  const limit = 'must be after now, and at most 366 days ahead';

  it.each([
    ['2026-12-24T18:00:00', form],
    ['2026-12-24', form],
    ['tomorrow', form],
    ['2030-02-30T00:00:00Z', form],
    [1.5, form],
    [true, form],
    [null, form],
    [1_800_000_000, limit],
    ['2020-01-01T00:00:00Z', limit],
    [4_102_444_800_000, limit],
  ])('refuses %j, and says what is allowed', async (deliverAt, message) => {
    expect(await stack.publish({ ...notice, to: 'everyone', deliverAt })).toEqual({
      status: 400,
      body: {
        error: {
          code: 'bad_request',
          message: `deliverAt: ${message}`,
          details: [{ field: 'deliverAt', message }],
        },
      },
    });
  });
});

describe('DELETE /publications/{messageId}', () => {
  it('cancels a message whose second is near: nobody gets it', async () => {
    const client = await stack.connect({ user: 'cyd' });
    const at = Date.now() + 3000;
    const [first, second] = [randomUUID(), randomUUID()];
    for (const messageId of [first, second])
      await stack.publish({ ...notice, to: 'user:member:cyd', messageId, deliverAt: at });
    expect(await cancel(first)).toEqual({ status: 200, body: { cancelled: true } });
    expect(await cancel(first.toUpperCase())).toEqual({ status: 200, body: { cancelled: true } });
    expect(await publicationOf(first)).toMatchObject({ body: { status: 'cancelled', deliverAt: at } });
    expect(await client.next()).toMatchObject({ messageId: second });
    await client.expectSilence();
  });

  it('names what it cannot cancel', async () => {
    expect(await cancel(randomUUID())).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(await cancel('42')).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'messageId', message: 'must be a UUID' }] } },
    });
    expect(await cancel(randomUUID(), '?colour=red')).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'colour' }] } },
    });
    const messageId = randomUUID();
    await stack.publish({ ...notice, to: 'everyone', messageId });
    expect(await cancel(messageId)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  });

  it('is a method of the publisher', async () => {
    const publisher = createPublisher({ url: `${stack.url}/publish` });
    const deliverAt = Date.now() + 3_600_000;
    const { messageId } = await publisher.publish({ ...notice, to: 'everyone', tenant: 'acme', deliverAt });
    const refused = expect.objectContaining({
      name: 'PublishError',
      code: 'not_found',
      status: 404,
    }) as Error;
    await expect(publisher.cancel(messageId)).rejects.toEqual(refused);
    await publisher.cancel(messageId, { tenant: 'acme' });
    expect(await stack.call('GET', `/publications/${messageId}?tenant=acme`)).toMatchObject({
      body: { status: 'cancelled' },
    });
    const byName = createPublisher({ functionName: 'any', region: 'us-east-1', endpoint: stack.url });
    await expect(byName.cancel(messageId)).rejects.toThrow('cancel needs the option url');
  });

  it('and deliveries at the same time: of 50 messages each is cancelled or sent, never both', async () => {
    const client = await stack.connect({ user: 'racer' });
    const ids = Array.from({ length: 50 }, () => randomUUID());
    let middle = 0;
    for (const [index, messageId] of ids.entries()) {
      // Each has its own time, so that a slow machine refuses none as too late.
      const deliverAt = Date.now() + 5000;
      if (index === 25) middle = deliverAt;
      const { status } = await stack.publish({ ...notice, to: 'user:member:racer', messageId, deliverAt });
      expect(status).toBe(202);
    }
    await expect.poll(() => Date.now(), { interval: 20, timeout: 15_000 }).toBeGreaterThan(middle);
    const answers = await Promise.all(
      ids.map(async (messageId) => [messageId, (await cancel(messageId)).status]),
    );
    expect(answers.filter(([, status]) => status !== 200 && status !== 409)).toEqual([]);
    const begun = answers.flatMap(([messageId, status]) => (status === 409 ? [messageId] : []));
    for (const messageId of begun) {
      await expect
        .poll(() => publicationOf(String(messageId)), { timeout: 15_000 })
        .toMatchObject({ body: { status: 'done' } });
    }
    const sent = (await client.drain()).map((frame) => frame['messageId']);
    expect(sent.sort()).toEqual(begun.sort());
  }, 60_000);
});
