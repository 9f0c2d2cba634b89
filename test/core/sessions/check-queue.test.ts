import { describe, expect, it } from 'vitest';
import { createCheckQueue, delayUntil, readCheck } from '../../../core/sessions/check-queue.ts';
import { json, useEndpoint } from '../targets/endpoint.ts';
import { useCheckQueue } from './check-queue-under-test.ts';

const queues = useCheckQueue();
const endpoint = useEndpoint();
const check = { tenant: 'default', userType: 'member', userId: '1', connectionId: 'c1=' };
const queueOfEndpoint = () => createCheckQueue({ url: `${endpoint.url}/0/checks`, region: 'eu-west-1' });

describe('the queue of checks', () => {
  it('delivers what was sent, in any number', async () => {
    const { checks, receive } = await queues.create();
    const ids = Array.from({ length: 23 }, (_, index) => `c${String(index)}=`);
    await checks.send(ids.map((connectionId) => ({ check: { ...check, connectionId }, delaySeconds: 0 })));
    const received = [];
    while (received.length < ids.length) received.push(readCheck((await receive()).body).connectionId);
    expect(received.sort()).toEqual(ids.sort());
  });

  it('delivers a check with its reason no earlier than it should', async () => {
    const { checks, receive } = await queues.create();
    const sentAt = Date.now();
    await checks.send([{ check: { ...check, code: 'too_many_sessions' }, delaySeconds: 1 }]);
    expect(readCheck((await receive()).body)).toEqual({ ...check, code: 'too_many_sessions' });
    expect(Date.now() - sentAt).toBeGreaterThan(900);
  });

  it('takes one signed request for ten checks, and none for no check', async () => {
    endpoint.respond = json({ Successful: [] });
    const ten = Array.from({ length: 10 }, () => ({ check, delaySeconds: 900 }));
    await queueOfEndpoint().send([]);
    await queueOfEndpoint().send(ten);
    const { method, path, headers, body } = await endpoint.requests.next();
    expect({ method, path }).toEqual({ method: 'POST', path: '/' });
    expect(headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.SendMessageBatch',
    });
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=local\/\d{8}\/eu-west-1\/sqs\/aws4_request, /,
    );
    const { QueueUrl, Entries } = JSON.parse(body) as { QueueUrl: string; Entries: unknown[] };
    expect(QueueUrl).toBe(`${endpoint.url}/0/checks`);
    expect(Entries).toHaveLength(10);
    expect(Entries[9]).toEqual({ Id: '9', MessageBody: JSON.stringify(check), DelaySeconds: 900 });
    expect(endpoint.requests.values).toEqual([]);
  });

  it('makes a second try, and no third', async () => {
    endpoint.respond = json({ message: 'busy' }, 503);
    const sent = queueOfEndpoint().send([{ check, delaySeconds: 0 }]);
    await expect(sent).rejects.toThrow('SQS answered 503: {"message":"busy"}');
    expect(endpoint.requests.values).toHaveLength(2);
  });

  it('throws if it took only a part of a batch', async () => {
    endpoint.respond = json({ Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] });
    const sent = queueOfEndpoint().send([{ check, delaySeconds: 0 }]);
    await expect(sent).rejects.toThrow('The queue refused a message: InternalError.');
  });

  it.each(['{}', 'no JSON', JSON.stringify({ ...check, code: 'kicked' })])('has no check in %s', (body) => {
    expect(() => readCheck(body)).toThrow();
  });
});

describe('the delay until an expiry', () => {
  it.each([
    ['is rounded up, so that the token has expired then', 1_001, 2],
    ['is at most that of a message in SQS', 3_600_000, 900],
    ['is nothing if the token has expired', -5_000, 0],
  ])('%s', (_what, ms, seconds) => {
    expect(delayUntil(10_000 + ms, 10_000)).toBe(seconds);
  });
});
