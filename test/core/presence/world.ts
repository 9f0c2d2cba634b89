import { setImmediate } from 'node:timers/promises';
import type fc from 'fast-check';
import { createOpenSessions } from '../../../core/presence/open-sessions.ts';
import { createPresence } from '../../../core/presence/presence.ts';
import { type PresenceTask, readPresenceTask } from '../../../core/presence/queue.ts';
import { createPresenceStates } from '../../../core/presence/states.ts';
import type { Publish } from '../../../core/publish/publish.ts';
import { createSessionStore } from '../../../core/sessions/store.ts';
import type { PresenceChange } from '../../../protocol/index.ts';
import { type Core, sessionOf, startOfTime } from '../core-under-test.ts';
import { withHeldCommands } from '../database-stand-ins.ts';
import type { Step } from './steps.ts';

export const graceMs = 10_000;

interface Watcher {
  /** Whether it thinks that the user is there. `undefined`: it has no answer yet. */
  view: boolean | undefined;
  readonly connectionId: string;
}

/** A record of the stream, or a message of the queue. Those of one row are delivered in order. */
interface Work {
  readonly run: (world: ReturnType<typeof functions>) => Promise<unknown>;
  readonly dueAt: number;
  isRunning: boolean;
}

type Hold = (name: string, send: () => Promise<unknown>) => Promise<unknown>;

function functions(
  core: Core,
  hold: Hold,
  queue: (task: PresenceTask, delayMs: number) => void,
  publish: Publish,
) {
  const db = withHeldCommands(core.db, hold);
  const { tables, clock } = core;
  const store = createSessionStore({ db, table: tables.sessions, shards: 1, clock });
  return createPresence({
    ...core,
    ...store,
    states: createPresenceStates({ db, table: tables.state, clock }),
    openSessions: createOpenSessions({ db, table: tables.sessions, clock }),
    publish,
    queue: {
      send: (task, delayMs) => {
        queue(task, delayMs);
        return Promise.resolve();
      },
    },
    graceMs,
  });
}

/**
 * A user with two devices, watchers, and the functions that tell them. The scheduler decides whose call of the database
 * is next. Time passes only while no function runs, because a function takes far less than a second.
 */
export function createWorld(core: Core, user: string, topic: string | undefined, scheduler: fc.Scheduler) {
  core.clock.ms = startOfTime;
  const identity = { tenant: 'default', userType: 'member', userId: user };
  const watchers: Watcher[] = [];
  const faults: string[] = [];
  const rows = new Map<string, Work[]>();
  const tasks: Work[] = [];
  const last = new Map<number, Work>();
  const openedAt = new Map<string, number>();
  const devices: (string | undefined)[] = [undefined, undefined];
  const running = new Set<Promise<unknown>>();
  const crashed = new Set<Promise<unknown>>();
  let opened = 0;
  let number = 0;

  function enqueue(task: PresenceTask, delayMs: number): void {
    const body = JSON.stringify(readPresenceTask(JSON.stringify(task)));
    const dueAt = core.clock.now() + Math.ceil(delayMs / 1000) * 1000;
    tasks.push({ run: ({ takeTask }) => takeTask(body), dueAt, isRunning: false });
  }

  /** Reaches those who are subscribed when it begins, and lands when the scheduler likes. */
  const publishWith =
    (hold: Hold): Publish =>
    async ({ content }) => {
      const change = content as PresenceChange;
      const isPresent = 'joined' in change ? change.joined : change.online;
      const name = topic === undefined ? `~user:member:${user}` : `~topic:${topic}`;
      const page = { recipients: [] as readonly { connectionId: string }[] };
      await hold('audience', async () => {
        page.recipients = (
          await core.recipients.ofTopic({ tenant: 'default', topic: name, shard: 0 })
        ).recipients;
      });
      await hold('post', () => {
        const ids = new Set(page.recipients.map(({ connectionId }) => connectionId));
        for (const watcher of watchers) if (ids.has(watcher.connectionId)) watcher.view = isPresent;
        const since = Math.min(...openedAt.values());
        if (!isPresent && since < core.clock.now() - (topic === undefined ? 1 : 2) * graceMs)
          faults.push('told absent, while present');
        return Promise.resolve();
      });
      return { messageId: 'm', status: 'delivered', delivered: 1, gone: 0, failed: 0 };
    };

  async function start(
    run: (presence: ReturnType<typeof functions>) => Promise<unknown>,
    crashesAfter = Infinity,
  ): Promise<'done' | 'crashed'> {
    let made = 0;
    let crash: () => void = () => undefined;
    const death = new Promise<'crashed'>((resolve) => {
      crash = () => {
        resolve('crashed');
      };
    });
    const hold: Hold = async (name, send) => {
      if (made >= crashesAfter) {
        crash();
        return new Promise(() => undefined);
      }
      made += 1;
      await scheduler.schedule(Promise.resolve(), name);
      const sent = send();
      running.add(sent);
      return sent.finally(() => running.delete(sent));
    };
    const presence = functions(core, hold, enqueue, publishWith(hold));
    return Promise.race([run(presence).then(() => 'done' as const), death]);
  }

  /** Lets functions go on, by this many calls of the database. */
  async function proceed(most: number): Promise<void> {
    for (let made = 0; ; made += 1) {
      do {
        await Promise.allSettled(running);
        await setImmediate();
      } while (running.size > 0);
      if (scheduler.count() === 0 || made >= most) return;
      core.clock.ms += 1;
      await scheduler.waitNext(1);
    }
  }

  function track(work: Promise<unknown>): void {
    crashed.add(work);
    void work.finally(() => crashed.delete(work));
  }

  function record(eventName: 'INSERT' | 'REMOVE', connectionId: string, subscribedAt?: number): Work {
    const image = {
      pk: { S: topic === undefined ? `USER#default#member#${user}` : `TOPIC#default#${topic}#0` },
      sk: { S: connectionId },
      connectedAt: { N: String(startOfTime) },
      tokenExpiresAt: { N: String(startOfTime + 3_600_000) },
      ...(topic !== undefined && { userType: { S: 'member' }, userId: { S: user } }),
      ...(subscribedAt !== undefined && { subscribedAt: { N: String(subscribedAt) } }),
    };
    const dynamodb = {
      [eventName === 'INSERT' ? 'NewImage' : 'OldImage']: image,
      SequenceNumber: String((number += 1)),
      ApproximateCreationDateTime: Math.floor(core.clock.now() / 1000),
    };
    const run: Work['run'] = async ({ takeChanges }) => {
      const failed = await takeChanges([{ eventName, dynamodb } as never]);
      if (failed.length > 0) throw new Error('A change was not taken.');
    };
    return { run, dueAt: 0, isRunning: false };
  }

  async function open(at: number): Promise<void> {
    if (devices[at] !== undefined) return;
    const connectionId = `${user}-${String((opened += 1))}=`;
    await core.sessions.add(sessionOf(connectionId, { userId: user }));
    if (topic !== undefined) await core.subscriptions.subscribe({ identity, connectionId }, topic, ['*']);
    devices[at] = connectionId;
    openedAt.set(connectionId, core.clock.now());
    rows.set(connectionId, [record('INSERT', connectionId)]);
  }

  async function close(at: number): Promise<void> {
    const connectionId = devices[at];
    if (connectionId === undefined) return;
    const subscriber = { identity, connectionId };
    const row = topic === undefined ? undefined : await core.subscriptions.row(subscriber, topic);
    const subscribedAt = row?.subscribedAt;
    await core.sessions.remove(identity, connectionId);
    devices[at] = undefined;
    openedAt.delete(connectionId);
    rows.get(connectionId)?.push(record('REMOVE', connectionId, subscribedAt));
    // The stream tells only the second of an end. A watch of the same second may come before it or after it.
    if (topic !== undefined) core.clock.ms = Math.ceil((core.clock.ms + 1) / 1000) * 1000;
  }

  /** Gives one record or message to a function. If it crashes, it is delivered again later. */
  async function deliver(work: Work, list: Work[], crashesAfter?: number): Promise<void> {
    work.isRunning = true;
    const end = await start(work.run, crashesAfter);
    work.isRunning = false;
    if (end === 'done') list.splice(list.indexOf(work), 1);
  }

  const ready = () => [
    ...[...rows.values()].flatMap((list) => {
      const [first] = list;
      return first && !first.isRunning ? [{ work: first, list }] : [];
    }),
    ...tasks
      .filter(({ isRunning, dueAt }) => !isRunning && dueAt <= core.clock.now())
      .map((work) => ({ work, list: tasks })),
  ];

  async function watch(): Promise<void> {
    const watcher: Watcher = { view: undefined, connectionId: `${user}-w${String(watchers.length)}=` };
    watchers.push(watcher);
    const whom = { tenant: 'default', userType: 'watcher', userId: user };
    await core.sessions.add(sessionOf(watcher.connectionId, whom));
    const asked =
      topic === undefined ? { users: [`member:${user}`], topics: [] } : { users: [], topics: [topic] };
    const subscriber = { identity: whom, connectionId: watcher.connectionId };
    const answered = start(async ({ watches }) => {
      const answer = await watches.watch(subscriber, asked, ['*']);
      if (typeof answer === 'string') throw new Error(answer);
      watcher.view =
        answer.users[0]?.online ?? answer.topics[0]?.users.some((each) => each.user === `member:${user}`);
    });
    track(answered);
  }

  async function step(given: Step): Promise<void> {
    switch (given.kind) {
      case 'open':
        await open(given.device);
        break;
      case 'close':
        await close(given.device);
        break;
      case 'wait':
        await proceed(Infinity);
        core.clock.ms += given.ms;
        break;
      case 'watch':
        await watch();
        break;
      case 'work': {
        const all = ready();
        const one = all[given.queue % Math.max(1, all.length)];
        if (one) {
          last.set(given.queue % 2, one.work);
          track(deliver(one.work, one.list, given.crashesAfter));
        }
        break;
      }
      case 'repeat': {
        const work = last.get(given.device);
        if (work) track(start(work.run));
      }
    }
    await proceed(given.calls);
  }

  /** Delivers all that is left, and waits for all that was put off. */
  async function becomeQuiet(): Promise<void> {
    for (;;) {
      await proceed(Infinity);
      for (const { work, list } of ready()) {
        track(deliver(work, list));
        await proceed(Infinity);
      }
      if (ready().length > 0) continue;
      const later = tasks.filter(({ dueAt }) => dueAt < core.clock.now() + 240_000);
      if (later.length === 0) return;
      core.clock.ms = Math.max(core.clock.ms, Math.min(...later.map(({ dueAt }) => dueAt)));
    }
  }

  return {
    step,
    becomeQuiet,
    faults,
    views: () => watchers.map(({ view }) => view),
    isPresent: () => openedAt.size > 0,
  };
}
