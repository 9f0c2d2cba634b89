import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { channelKey, messageSortKey } from '../../../core/log/items.ts';
import { listMessages, type ListOptions, type Start } from '../../../core/log/list.ts';
import type { LogId } from '../../../core/log/log.ts';
import type { Position } from '../../../protocol/index.ts';
import { type Core, useDynamoDB } from '../core-under-test.ts';
import { leaveHole } from './log-under-test.ts';

const dynamodb = useDynamoDB();
let core: Core;
beforeAll(async () => {
  core = await dynamodb.create();
});

interface Message {
  readonly offset: number;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

type Step =
  | { readonly kind: 'append'; readonly length: number; readonly ttlSeconds: number }
  | { readonly kind: 'hole' }
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'delete expired' }
  | { readonly kind: 'read'; readonly isBackward: boolean; readonly limit: number };

const ttl = fc.constantFrom(1, 5, 600);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append'), length: fc.nat(40), ttlSeconds: ttl }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hole') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass'), seconds: fc.constantFrom(2, 70, 700) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete expired') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('read'),
      isBackward: fc.boolean(),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

let logs = 0;

/** Takes the steps on a new log. Resolves to it, and to the messages that it keeps. */
async function take(steps: readonly Step[]): Promise<{ log: LogId; kept: number[] }> {
  const log = { tenant: 'default', channel: `user:member:${String((logs += 1))}` };
  let messages: Message[] = [];
  for (const step of steps) {
    if (step.kind === 'append') {
      const { length, ttlSeconds } = step;
      const frameAt = (position: Position) => JSON.stringify({ text: 'x'.repeat(length), ...position });
      const { offset } = await core.logs.append(log, { messageId: 'm', ttlSeconds, frameAt });
      messages.push({ offset, expiresAt: Math.ceil(core.clock.ms / 1000) + ttlSeconds });
    } else if (step.kind === 'hole') await leaveHole(core, 5, log);
    else if (step.kind === 'pass') core.clock.ms += step.seconds * 1000;
    else if (step.kind === 'read') {
      const start = step.isBackward ? { before: Infinity } : { after: 0 };
      await listMessages(await core.logs.open(log), start, { limit: step.limit, maxBytes: 100 });
    } else {
      const expired = messages.filter(({ expiresAt }) => expiresAt * 1000 <= core.clock.ms);
      for (const { offset } of expired) {
        const Key = { pk: channelKey(log), sk: messageSortKey(offset) };
        await core.db.send(new DeleteCommand({ TableName: core.tables.state, Key }));
      }
      messages = messages.filter((message) => !expired.includes(message));
    }
  }
  const isKept = ({ expiresAt }: Message) => expiresAt * 1000 > core.clock.ms;
  return { log, kept: messages.filter(isKept).map(({ offset }) => offset) };
}

/** The offsets of all pages, in the order of reading. */
async function readAll(log: LogId, start: Start, options: ListOptions): Promise<number[]> {
  const offsets: number[] = [];
  for (let next: number | undefined, pages = 0; pages === 0 || next !== undefined; pages += 1) {
    expect(pages).toBeLessThan(100);
    const direction = 'after' in start ? 'after' : 'before';
    const from = next === undefined ? start : direction === 'after' ? { after: next } : { before: next };
    const page = await listMessages(await core.logs.open(log), from, options);
    expect(page.messages.length).toBeLessThanOrEqual(options.limit);
    offsets.push(...page.messages.map(({ offset = 0 }) => offset));
    next = page.next;
  }
  return offsets;
}

describe('the pages of a log', () => {
  const anyPages = fc.record({
    limit: fc.integer({ min: 1, max: 6 }),
    maxBytes: fc.constantFrom(1, 150, 10_000),
  });

  it('hold each message that is kept once and in order, in both directions and from every offset', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { maxLength: 25 }),
        anyPages,
        fc.nat(30),
        async (steps, pages, at) => {
          const { log, kept } = await take(steps);
          const newestFirst = kept.toReversed();
          expect(await readAll(log, { before: Infinity }, pages)).toEqual(newestFirst);
          expect(await readAll(log, { before: at + 1 }, pages)).toEqual(newestFirst.filter((o) => o <= at));
          expect(await readAll(log, { after: at }, pages)).toEqual(kept.filter((o) => o > at));
          expect(await readAll(log, { after: 0 }, pages)).toEqual(kept);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
