import { describe, expect, it } from 'vitest';
import type { ProbeOutcome } from '../../../core/connections/client.ts';
import { createPresence } from '../../../core/presence/presence.ts';
import type { PresenceTask } from '../../../core/presence/queue.ts';
import { handshakeWindowMs, probeEveryMs, probesLostAfterMs } from '../../../core/timing.ts';
import { type Core, idsOf, minuteMs, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const whom = { tenant: 'default', userType: 'watcher', userId: 'w' };
const user = { tenant: 'default', userType: 'member', userId: '1' };
const asked = { users: ['member:1'], topics: ['orders'] };

interface Sent {
  readonly task: PresenceTask;
  readonly delayMs: number;
}

/** A watcher of a user and of a topic. `gone` are the connections that API Gateway does not know. */
async function watching(gone: ReadonlySet<string>, connectionIds: readonly string[]) {
  const core = await dynamodb.create({
    shards: 2,
    probe: (id): ProbeOutcome => (gone.has(id) ? { outcome: 'gone' } : { outcome: 'connected' }),
  });
  const sent: Sent[] = [];
  const queue = {
    send: (task: PresenceTask, delayMs: number) => {
      sent.push({ task, delayMs });
      return Promise.resolve();
    },
  };
  const presence = createPresence({ ...core, queue, graceMs: 10_000 });
  const { connectedAt } = sessionOf('w=');
  for (const connectionId of connectionIds) await open(core, connectionId, connectedAt);
  core.clock.ms += 2 * minuteMs;
  await core.sessions.add(sessionOf('w=', { ...whom, connectedAt: core.clock.ms }));
  await presence.watches.watch({ identity: whom, connectionId: 'w=' }, asked, ['*']);
  const take = ({ task }: Sent) => presence.takeTask(JSON.stringify(task));
  const probes = (kind: string) =>
    sent.filter(({ task }) => task.kind === 'probe' && task.watched.kind === kind);
  return { core, presence, sent, take, probes };
}

async function open(core: Core, connectionId: string, connectedAt: number): Promise<void> {
  await core.sessions.add(sessionOf(connectionId, { connectedAt }));
  await core.subscriptions.subscribe({ identity: user, connectionId }, 'orders', ['*']);
}

async function sessionsOf({ recipients }: Core): Promise<string[]> {
  return idsOf((await recipients.ofUser(user)).recipients);
}

async function subscribersOf({ recipients }: Core): Promise<string[]> {
  const pages = await Promise.all(
    [0, 1].map((shard) => recipients.ofTopic({ tenant: 'default', topic: 'orders', shard })),
  );
  return idsOf(pages.flatMap((page) => page.recipients));
}

describe.each(['user', 'topic'] as const)('the probes of a watched %s', (kind) => {
  it('delete the sessions that API Gateway does not know, and go on', async () => {
    const { core, take, probes } = await watching(new Set(['b=']), ['a=', 'b=', 'c=']);
    const [first] = probes(kind);
    expect(first?.delayMs).toBe(probeEveryMs);
    if (first) await take(first);
    expect(await sessionsOf(core)).toEqual(['a=', 'c=']);
    expect(await subscribersOf(core)).toEqual(['a=', 'c=']);
    const [, second] = probes(kind);
    expect(second?.delayMs).toBe(probeEveryMs);
    if (second) await take(second);
    expect(probes(kind)).toHaveLength(3);
  });

  it('do nothing for a message that comes again', async () => {
    const { take, probes } = await watching(new Set(), ['a=']);
    const [first] = probes(kind);
    if (first) await Promise.all([take(first), take(first)]);
    const next = probes(kind).slice(1);
    for (const each of next) await take(each);
    // Of two messages for one moment, one counts.
    const dues = probes(kind).map(({ task }) => (task.kind === 'probe' ? task.dueAt : 0));
    expect(new Set(dues).size).toBe(3);
  });

  it('believe no 410 of an endpoint that knows nobody', async () => {
    const { core, take, probes } = await watching(new Set(['a=', 'w=']), ['a=']);
    const [first] = probes(kind);
    if (first) await take(first);
    expect(await sessionsOf(core)).toEqual(['a=']);
  });

  it('believe it if the endpoint knows a watcher', async () => {
    const { core, take, probes } = await watching(new Set(['a=']), ['a=']);
    const [first] = probes(kind);
    if (first) await take(first);
    expect(await sessionsOf(core)).toEqual([]);
  });

  it('end when nobody watches any more', async () => {
    const { core, take, probes } = await watching(new Set(), ['a=']);
    core.clock.ms += 131 * minuteMs;
    const [first] = probes(kind);
    if (first) await take(first);
    expect(probes(kind)).toHaveLength(1);
  });

  it('begin again with a watch if their message was lost', async () => {
    const { core, presence, probes } = await watching(new Set(), ['a=']);
    const again = () => presence.watches.watch({ identity: whom, connectionId: 'w=' }, asked, ['*']);
    await again();
    expect(probes(kind)).toHaveLength(1);
    core.clock.ms += probeEveryMs + probesLostAfterMs;
    await again();
    expect(probes(kind)).toHaveLength(2);
  });
});

describe('the probes of a watched user', () => {
  it('look again soon for a session that may be in its handshake', async () => {
    const { core, take, probes } = await watching(new Set(['new=']), ['a=']);
    await open(core, 'new=', core.clock.ms);
    const [first] = probes('user');
    if (first) await take(first);
    expect(await sessionsOf(core)).toEqual(['a=', 'new=']);
    const [, second] = probes('user');
    expect(second?.delayMs).toBe(handshakeWindowMs);
    core.clock.ms += handshakeWindowMs + 1;
    if (second) await take(second);
    expect(await sessionsOf(core)).toEqual(['a=']);
  });

  it('tell watchers of a session that has expired', async () => {
    const { core, take, sent, probes } = await watching(new Set(), ['a=']);
    core.clock.ms += 58 * minuteMs;
    await core.sessions.add(
      sessionOf('w=', { ...whom, connectedAt: core.clock.ms, tokenExpiresAt: core.clock.ms + 9e6 }),
    );
    await core.subscriptions.subscribe({ identity: whom, connectionId: 'w=' }, ['~user:member:1'], ['*']);
    const [first] = probes('user');
    if (first) await take(first);
    const look = sent.find(({ task }) => task.kind === 'look');
    core.clock.ms += look?.delayMs ?? 0;
    if (look) await take(look);
    expect(core.connections.framesTo('w=')).toMatchObject([
      { type: 'presence', content: { user: 'member:1', online: false } },
    ]);
  });
});
