import { describe, expect, it } from 'vitest';
import { readLifecycleEvent } from '../../../core/lifecycle/event.ts';
import { startOfTime } from '../core-under-test.ts';
import { record } from './records.ts';

const sentAt = startOfTime + 1000;
const read = (...of: Parameters<typeof record>) => readLifecycleEvent(record(...of), sentAt);
const uuid = expect.stringMatching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
) as unknown;
const common = {
  messageId: uuid,
  from: { tenant: 'acme', userType: 'member', userId: '42' },
  session: { connectionId: 'c1=', connectedAt: startOfTime, tokenExpiresAt: startOfTime + 60_000 },
  sentAt,
};

describe('the event behind a change of a session', () => {
  it('is connected for a new row', () => {
    expect(read('INSERT', 'c1=')).toEqual({ kind: 'connected', ...common });
  });

  it('is disconnected for a deleted row, with the end that was recorded there', () => {
    const end = { endCode: { N: '1001' }, endReason: { S: 'Going away' } };
    const expected = { kind: 'disconnected', ...common, code: 1001, reason: 'Going away' };
    expect(read('REMOVE', 'c1=', end)).toEqual(expected);
  });

  it('is lost, without a code, for a row that was deleted without a record', () => {
    expect(read('REMOVE', 'c1=')).toEqual({ kind: 'disconnected', ...common, reason: 'lost' });
  });

  it('has one message id per session and kind, so that a row written twice is told as one session', () => {
    const ids = [read('INSERT', 'c1='), read('REMOVE', 'c1='), read('INSERT', 'c2=')].map(
      (event) => event.messageId,
    );
    expect(new Set(ids).size).toBe(3);
    expect(read('INSERT', 'c1=', {}, 2).messageId).toBe(ids[0]);
  });

  it('is an error for any other record', () => {
    expect(() => read('MODIFY', 'c1=')).toThrow();
  });
});
