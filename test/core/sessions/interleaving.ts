import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { createSessionStore } from '../../../core/sessions/store.ts';
import type { SubscribeOutcome } from '../../../core/sessions/subscriptions/subscriptions.ts';
import { createRefreshSession, type Refreshed } from '../../../core/sessions/refresh.ts';
import { type Core, minuteMs, newToken, startOfTime } from '../core-under-test.ts';
import { withHeldCommands } from '../database-stand-ins.ts';

export const identity = { tenant: 'default', userType: 'member', userId: '1' };
export const topics = ['a1', 'b1'] as const;

/** What a client, or the end of its connection, does to a session. */
export type Step =
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly topic: string }
  | { readonly kind: 'refresh'; readonly minutes: number; readonly patterns: readonly string[] }
  | { readonly kind: 'disconnect' };

/** A step that crashes makes this many calls of the database. Its next call is never made, and never returns. */
export interface PlannedStep {
  readonly step: Step;
  readonly crashesAfter: number | undefined;
}

/** What became of a step. Times count the calls of the database. */
export interface StepRecord {
  readonly step: Step;
  readonly start: number;
  /** `Infinity`: it crashed. */
  readonly end: number;
  readonly result: unknown;
}

const subscription = fc.record({
  kind: fc.constantFrom('subscribe' as const, 'unsubscribe' as const),
  topic: fc.constantFrom(topics[0], ...topics),
});
const refresh = fc.record({
  kind: fc.constant('refresh' as const),
  minutes: fc.constantFrom(70, 90, 110),
  patterns: fc.constantFrom(['*'], ['a*'], []),
});

/** Steps of several functions at the same time. Those of one lane follow each other. */
export const lanesOf = (...steps: fc.Arbitrary<Step>[]) =>
  fc.array(
    fc.array(
      fc.record({
        step: fc.oneof(...steps),
        crashesAfter: fc.oneof({ arbitrary: fc.constant(undefined), weight: 5 }, fc.nat(6)),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    { minLength: 2, maxLength: 3 },
  );
export const anyStep = { subscription, refresh, disconnect: fc.constant<Step>({ kind: 'disconnect' }) };

export function act(
  core: Pick<Core, 'sessions' | 'subscriptions' | 'refreshSession'>,
  connectionId: string,
  step: Step,
) {
  const subscriber = { identity, connectionId };
  switch (step.kind) {
    case 'subscribe':
      return core.subscriptions.subscribe(subscriber, step.topic, ['*']);
    case 'unsubscribe':
      return core.subscriptions.unsubscribe(subscriber, step.topic);
    case 'refresh':
      return core.refreshSession(identity, connectionId, tokenOf(step));
    case 'disconnect':
      return core.sessions.remove(identity, connectionId);
  }
}

const tokenOf = ({ minutes, patterns }: Step & { kind: 'refresh' }) =>
  newToken(startOfTime + minutes * minuteMs, patterns);

/** Runs the lanes. The scheduler decides which call of the database is next, and each ends before the next begins. */
export async function interleave(
  core: Core,
  connectionId: string,
  lanes: readonly (readonly PlannedStep[])[],
  scheduler: fc.Scheduler,
): Promise<StepRecord[]> {
  const records: StepRecord[] = [];
  const running = new Set<Promise<unknown>>();
  let now = 0;

  async function run({ step, crashesAfter = Infinity }: PlannedStep): Promise<void> {
    const start = (now += 1);
    let calls = 0;
    let crash: () => void = () => undefined;
    const crashed = new Promise<undefined>((resolve) => {
      crash = () => {
        resolve(undefined);
      };
    });
    const hold = async (name: string, send: () => Promise<unknown>) => {
      if (calls >= crashesAfter) {
        crash();
        return new Promise(() => undefined);
      }
      calls += 1;
      await scheduler.schedule(Promise.resolve(), `${step.kind} ${name}`);
      now += 1;
      const sent = send();
      running.add(sent);
      return sent.finally(() => running.delete(sent));
    };
    const db = withHeldCommands(core.db, hold);
    const store = createSessionStore({ ...core, db, table: core.tables.sessions, shards: 1 });
    const refreshSession = createRefreshSession({ db, table: core.tables.sessions, ...store });
    const acted = act({ ...store, refreshSession }, connectionId, step).then((result) => ({
      result,
      end: (now += 1),
    }));
    const ended = await Promise.race([acted, crashed]);
    records.push({ step, start, end: Infinity, result: undefined, ...ended });
  }

  async function runLane(lane: readonly PlannedStep[]): Promise<void> {
    for (const planned of lane) await run(planned);
  }

  const ended = Promise.all(lanes.map(runLane));
  for (;;) {
    do {
      await Promise.allSettled(running);
      // Lets what follows an answer run until it asks for its next call.
      await setImmediate();
    } while (running.size > 0);
    if (scheduler.count() === 0) break;
    await scheduler.waitNext(1);
  }
  await ended;
  return records;
}

/** Whether the step takes the topic off the list. */
export function removes({ step, result, end }: StepRecord, topic: string): boolean {
  if (step.kind === 'unsubscribe') return step.topic === topic;
  if (step.kind !== 'refresh') return false;
  const { expiresAt, rights } = tokenOf(step);
  const isRefused = !rights.topics.some((pattern) => topic.startsWith(pattern.replace('*', '')));
  // A token that ends before the session changes nothing.
  return isRefused && (end === Infinity || (result as Refreshed).tokenExpiresAt === expiresAt);
}

/** Whether the step puts the topic on the list, or may have done so before it crashed. */
export function adds({ step, result, end }: StepRecord, topic: string): boolean {
  if (step.kind !== 'subscribe' || step.topic !== topic) return false;
  return end === Infinity || (result as SubscribeOutcome) === 'subscribed';
}
