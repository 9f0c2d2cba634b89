import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantsOf } from '../../../core/sessions/grants.ts';
import { expiryOf, type SubscriptionRow, topicKey, userKey } from '../../../core/sessions/items.ts';
import { matchesAny, maxTopicsPerSession } from '../../../protocol/index.ts';
import { type Core, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import {
  act,
  adds,
  anyStep,
  identity,
  interleave,
  lanesOf,
  removes,
  type StepRecord,
  topics,
} from './interleaving.ts';

const dynamodb = useDynamoDB();
let core: Core;
beforeAll(async () => {
  core = await dynamodb.create({ shards: 1 });
});

let opened = 0;

/** A new session that is subscribed to the first topic. */
async function openSession(): Promise<string> {
  const connectionId = `c${String((opened += 1))}=`;
  await core.sessions.add(sessionOf(connectionId));
  await act(core, connectionId, { kind: 'subscribe', topic: topics[0] });
  return connectionId;
}

async function rowOf(connectionId: string, topic: string): Promise<SubscriptionRow | undefined> {
  const Key = { pk: topicKey('default', topic, 0), sk: connectionId };
  const { Item } = await core.db.send(new GetCommand({ TableName: core.tables.sessions, Key }));
  return Item as SubscriptionRow | undefined;
}

/** A client repeats a refresh and an unsubscribe that got no answer. */
async function repeatCrashed(connectionId: string, records: StepRecord[]): Promise<void> {
  const crashed = records.filter(
    ({ step, end }) => (step.kind === 'refresh' || step.kind === 'unsubscribe') && end === Infinity,
  );
  for (const { step } of crashed) {
    const result = await act(core, connectionId, step);
    const last = Number.MAX_SAFE_INTEGER;
    records.push({ step, start: last, end: last, result });
  }
}

/** The list, the rows and the answers of a session that is still open. */
async function expectTruth(
  connectionId: string,
  topic: string,
  records: readonly StepRecord[],
): Promise<void> {
  const session = await core.sessions.row(identity, connectionId);
  const row = await rowOf(connectionId, topic);
  const isListed = session?.topics?.has(topic) ?? false;
  const state = { isListed, expiry: row?.tokenExpiresAt };
  const subscribed = { isListed: true, expiry: session?.tokenExpiresAt };
  const unsubscribed = { isListed: false, expiry: undefined };

  const first: StepRecord = {
    step: { kind: 'subscribe', topic: topics[0] },
    start: 0,
    end: 0,
    result: 'subscribed',
  };
  const all = [first, ...records];
  const added = all.filter((record) => adds(record, topic));
  const removed = all.filter((record) => removes(record, topic));
  const lasts = added.some(
    ({ start, end }) => end < Infinity && removed.every((removal) => removal.end < start),
  );
  if (lasts) expect(state).toEqual(subscribed);
  const isOver = removed.some(
    ({ start, end }) => end < Infinity && added.every((addition) => addition.end < start),
  );
  if (isOver) expect(state).toEqual(unsubscribed);
  if ([...added, ...removed].every(({ end }) => end < Infinity))
    expect(state).toEqual(isListed ? subscribed : unsubscribed);

  const rights = session && grantsOf(session)?.rights;
  if (isListed && rights) expect(matchesAny(topic, rights.topics)).toBe(true);
}

/** What is left of a session that has ended: only rows of steps that crashed, and these end by a 410 or the TTL. */
async function expectEnd(connectionId: string, topic: string, records: readonly StepRecord[]): Promise<void> {
  const row = await rowOf(connectionId, topic);
  if (!row) return;
  const crashed = records.filter(({ end }) => end === Infinity);
  expect(
    crashed.some(
      (record) => record.step.kind === 'disconnect' || adds(record, topic) || removes(record, topic),
    ),
  ).toBe(true);
  expect(row).toMatchObject({ expiresAt: expiryOf(startOfTime) });
  const { pk, connectedAt } = row;
  await core.sessions.removeGone({ connectionId, identity, connectedAt, topicKey: pk });
  expect(await rowOf(connectionId, topic)).toBeUndefined();
}

async function expectInvariants(connectionId: string, records: StepRecord[]): Promise<void> {
  const isOpen = (await core.sessions.row(identity, connectionId)) !== undefined;
  if (isOpen) await repeatCrashed(connectionId, records);
  for (const topic of topics) await (isOpen ? expectTruth : expectEnd)(connectionId, topic, records);
}

describe('the subscriptions of a session', () => {
  it.each([
    { what: 'a session that stays', steps: [anyStep.subscription, anyStep.refresh] },
    { what: 'one that ends', steps: [anyStep.subscription, anyStep.refresh, anyStep.disconnect] },
  ])('are as the answers say, whatever calls interleave and crash: $what', async ({ steps }) => {
    await fc.assert(
      fc.asyncProperty(lanesOf(...steps), fc.scheduler(), async (lanes, scheduler) => {
        const connectionId = await openSession();
        await expectInvariants(connectionId, await interleave(core, connectionId, lanes, scheduler));
      }),
      { numRuns: 80 },
    );
  });

  it('are never more than the limit, whatever calls interleave and crash', async () => {
    const filler = Array.from({ length: maxTopicsPerSession - 1 }, (_, index) => `filler-${String(index)}`);
    await fc.assert(
      fc.asyncProperty(lanesOf(anyStep.subscription), fc.scheduler(), async (lanes, scheduler) => {
        const connectionId = await openSession();
        await core.db.send(
          new UpdateCommand({
            TableName: core.tables.sessions,
            Key: { pk: userKey(identity), sk: connectionId },
            UpdateExpression: 'ADD topics :filler',
            ExpressionAttributeValues: { ':filler': new Set(filler) },
          }),
        );
        const records = await interleave(core, connectionId, lanes, scheduler);
        await expectInvariants(connectionId, records);
        const row = await core.sessions.row(identity, connectionId);
        expect(row?.topics?.size).toBeLessThanOrEqual(maxTopicsPerSession);
      }),
      { numRuns: 30 },
    );
  });
});
