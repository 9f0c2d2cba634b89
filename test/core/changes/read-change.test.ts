import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { queueDelivery, streamDelivery } from '../../../core/changes/read-change.ts';

const keys = { pk: { S: 'a' }, sk: { N: '1' } };

function record(eventName: string, images: object) {
  return {
    eventName,
    eventID: 'event-1',
    dynamodb: { SequenceNumber: '100', ApproximateCreationDateTime: 1_795_176_000, Keys: keys, ...images },
  };
}

const about = { id: 'event-1', time: 1_795_176_000_000, keys: { pk: 'a', sk: 1 } };
const before = { ...keys, status: { S: 'old' } };
const after = { ...keys, status: { S: 'new' } };

describe('a record of a stream', () => {
  it.each([
    ['INSERT', { NewImage: after }, { kind: 'insert', after: { pk: 'a', sk: 1, status: 'new' } }],
    [
      'MODIFY',
      { OldImage: before, NewImage: after },
      {
        kind: 'modify',
        before: { pk: 'a', sk: 1, status: 'old' },
        after: { pk: 'a', sk: 1, status: 'new' },
      },
    ],
    ['REMOVE', { OldImage: before }, { kind: 'remove', before: { pk: 'a', sk: 1, status: 'old' } }],
  ])('%s is a change with its rows as JSON', (eventName, images, change) => {
    const delivery = streamDelivery(record(eventName, images));
    expect(delivery.read()).toEqual({ ...about, ...change });
    expect(delivery.itemIdentifier).toBe('100');
  });

  it('has plain JSON for every type of attribute', () => {
    const row = {
      ...keys,
      ...marshall({ tags: new Set(['x', 'y']), nested: { list: [true, null, new Set([1, 2])] } }),
      exact: { N: '9007199254740991' },
      huge: { N: '9007199254740993' },
      fraction: { N: '1.5' },
      // Lambda passes binary data as base64.
      binary: { B: 'aGVsbG8=' },
    };
    const { after } = streamDelivery(record('INSERT', { NewImage: row })).read() as { after: unknown };
    expect(after).toEqual({
      pk: 'a',
      sk: 1,
      tags: ['x', 'y'],
      nested: { list: [true, null, [1, 2]] },
      exact: 9_007_199_254_740_991,
      huge: '9007199254740993',
      fraction: 1.5,
      binary: 'aGVsbG8=',
    });
  });

  it.each([
    ['of keys only', record('MODIFY', {})],
    ['of new images only', record('MODIFY', { NewImage: after })],
    ['of another kind', record('TRUNCATE', {})],
  ])('%s is refused without a part of it in the error', (_what, given) => {
    const { read } = streamDelivery(given);
    expect(read).toThrow(
      'The record has a form that is not allowed. The stream must be of NEW_AND_OLD_IMAGES.',
    );
  });

  it('is in one sequence with those of the same key only', () => {
    const other = streamDelivery({ dynamodb: { SequenceNumber: '101', Keys: { ...keys, sk: { N: '2' } } } });
    const same = streamDelivery({ dynamodb: { SequenceNumber: '102', Keys: { ...keys } } });
    const { sequence } = streamDelivery(record('REMOVE', { OldImage: before }));
    expect([other.sequence === sequence, same.sequence === sequence]).toEqual([false, true]);
  });
});

describe('an event of EventBridge', () => {
  const event = {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': 'Shipped',
    source: 'warehouse',
    account: '111122223333',
    time: '2026-11-20T12:00:00Z',
    region: 'us-east-1',
    resources: [],
    detail: { orderId: '1' },
  };

  it('has the names of this package', () => {
    const delivery = queueDelivery({ messageId: 'm', body: JSON.stringify(event) });
    expect(delivery.read()).toEqual({
      id: event.id,
      time: Date.UTC(2026, 10, 20, 12),
      source: 'warehouse',
      detailType: 'Shipped',
      detail: { orderId: '1' },
    });
  });

  it.each([
    ['no JSON', 'secret', 'The event is not JSON.'],
    ['no event', '{"secret":1}', 'The event has a form that is not allowed.'],
  ])('that is %s is refused', (_what, body, message) => {
    expect(queueDelivery({ messageId: 'm', body }).read).toThrow(message);
  });
});
