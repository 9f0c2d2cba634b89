import { describe, expect, it } from 'vitest';
import { outboxAttribute } from '../../../core/changes/outbox-item.ts';
import outboxMapping from '../../../core/changes/outbox-mapping.ts';
import { outboxItem } from '../../../core/change.ts';

const messageId = '00000000-0000-4000-8000-000000000001';
const clock = { now: () => 1_795_176_000_500, newId: () => messageId };
const message = { to: 'topic:orders', type: 'paid', content: { at: new Date(0) } };
const body = JSON.stringify({ ...message, messageId });

describe('an item of the outbox', () => {
  it('has a key of its own, the message as JSON, and a time to live of a day', () => {
    expect(outboxItem(message, { clock })).toEqual({
      pk: `switchboard-outbox#${messageId}`,
      sk: 'message',
      expiresAt: 1_795_176_000 + 86_400,
      switchboardOutbox: body,
    });
  });

  it('takes the names of the table, and the message id of its caller', () => {
    const own = '00000000-0000-4000-8000-000000000002';
    const names = { partitionKey: 'userId', sortKey: 'orderId', timeToLive: 'ttl' };
    expect(Object.keys(outboxItem({ ...message, messageId: own }, names))).toEqual([
      'userId',
      'orderId',
      'ttl',
      'switchboardOutbox',
    ]);
    expect(outboxItem({ ...message, messageId: own }, names)['userId']).toContain(own);
  });

  it.each<[string, object, string]>([
    ['a wrong target', { to: 'orders' }, 'to: '],
    ['a wrong type', { type: 'ack' }, 'type: '],
    ['too much', { content: 'x'.repeat(200_000) }, 'content: makes a frame of'],
    ['a lifetime that nothing keeps', { ttlSeconds: 60 }, 'ttlSeconds: needs durable'],
  ])('with %s is refused before anything is written', (_what, wrong, fault) => {
    expect(() => outboxItem({ ...message, ...wrong })).toThrow(fault);
  });
});

describe('the mapping of the outbox', () => {
  const about = { id: '1', time: 1, keys: {} };
  const row = { [outboxAttribute]: body };

  it('publishes the message of an item that was inserted', () => {
    expect(outboxMapping({ kind: 'insert', ...about, after: row })).toEqual(JSON.parse(body));
  });

  it('publishes nothing for other rows, and for an item that expires', () => {
    expect(outboxMapping({ kind: 'insert', ...about, after: { pk: 'order' } })).toBeNull();
    expect(outboxMapping({ kind: 'remove', ...about, before: row })).toBeNull();
  });
});
