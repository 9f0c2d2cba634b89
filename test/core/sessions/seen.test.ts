import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { createSubscribeListeners } from '../../../core/dispatch/subscribe.ts';
import { createSeen, seenKey } from '../../../core/sessions/seen.ts';
import { watchTopic } from '../../../core/sessions/subscriptions/watches.ts';
import { parseTarget, readPublishRequest } from '../../../protocol/index.ts';
import { contextOf, type Core, minuteMs, sessionOf, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const dayMs = 24 * 60 * minuteMs;
const tenant = 'acme';
const member = { kind: 'type', userType: 'member' } as const;
const orders = { kind: 'topic', topic: 'orders' } as const;

/** As another function environment has it. */
function another({ db, tables, clock }: Core) {
  const warnings: unknown[] = [];
  const logger = { warn: (...entry: unknown[]) => void warnings.push(entry) };
  return { warnings, ...createSeen({ db, table: tables.state, clock, logger }) };
}

const hint = (seen: Core['seen'], ...to: string[]) =>
  seen.hint(
    tenant,
    to.map((target) => parseTarget(target, 'to')),
  );

/** The names of the database calls from now on. */
function callsOf({ db }: Core): () => string[] {
  const send = vi.spyOn(db, 'send').mockClear();
  return () => send.mock.calls.map(([command]) => command.constructor.name);
}

describe('a hint', () => {
  it('names the tenant, the user type or the topic that no session had', async () => {
    const core = await dynamodb.create();
    const { seen } = core;
    expect(await hint(seen, 'everyone')).toBe(
      'No session of the tenant `acme` was opened in the last 30 days; is the tenant right?',
    );
    await seen.note(tenant, [undefined, member]);
    expect(await hint(seen, 'everyone')).toBeUndefined();
    expect(await hint(seen, 'user:member:1', 'type:member', 'session:c1=')).toBeUndefined();
    for (const target of ['type:membr', 'user:membr:1'])
      expect(await hint(seen, 'type:member', target)).toBe(
        'No session of the user type `membr` was opened in the last 30 days; is the user type right?',
      );
    expect(await hint(seen, 'topic:orders')).toBe(
      'No session has subscribed to the topic `orders` in the last 30 days; is the topic right?',
    );
    await seen.note(tenant, [orders]);
    expect(await hint(seen, 'topic:orders')).toBeUndefined();
    expect(await seen.hint('other', [orders])).toContain('tenant `other`');
  });

  it('is not looked up for what goes to watchers', async () => {
    const core = await dynamodb.create();
    const calls = callsOf(core);
    const watch = { kind: 'topic', topic: watchTopic({ kind: 'user', name: 'member:1' }) } as const;
    expect(await core.seen.hint(tenant, [watch])).toBeUndefined();
    expect(calls()).toEqual([]);
  });

  it('comes again thirty days after the last session', async () => {
    const core = await dynamodb.create();
    await core.seen.note(tenant, [undefined]);
    core.clock.ms += 29 * dayMs;
    expect(await hint(another(core), 'everyone')).toBeUndefined();
    core.clock.ms += 2 * dayMs;
    expect(await hint(another(core), 'everyone')).toContain('tenant `acme`');
    expect(await hint(core.seen, 'everyone')).toContain('tenant `acme`');
  });

  it('is left out if it cannot be looked up, and the log says so', async () => {
    const core = await dynamodb.create();
    const seen = another({ ...core, tables: { ...core.tables, state: 'missing' } });
    expect(await hint(seen, 'everyone')).toBeUndefined();
    await seen.note(tenant, [undefined]);
    expect(seen.warnings).toHaveLength(2);
  });

  it('reads ten targets at most', async () => {
    const core = await dynamodb.create();
    await core.seen.note(tenant, [undefined]);
    const calls = callsOf(core);
    await hint(core.seen, ...Array.from({ length: 100 }, (_, index) => `topic:t${String(index)}`));
    expect(calls()).toHaveLength(11);
  });
});

describe('a name that was seen', () => {
  it('is written once a day by each function environment', async () => {
    const core = await dynamodb.create();
    const other = another(core);
    const calls = callsOf(core);
    for (const seen of [core.seen, core.seen, other, other]) await seen.note(tenant, [undefined, member]);
    expect(calls()).toEqual(['PutCommand', 'PutCommand', 'PutCommand', 'PutCommand']);
    core.clock.ms += dayMs;
    await core.seen.note(tenant, [undefined, member]);
    expect(calls()).toHaveLength(6);
  });

  it('is read once a day, and reading it does not keep it from being written', async () => {
    const core = await dynamodb.create();
    await another(core).note(tenant, [undefined, member]);
    const calls = callsOf(core);
    for (let time = 0; time < 3; time += 1) expect(await hint(core.seen, 'type:member')).toBeUndefined();
    expect(calls()).toEqual(['GetCommand', 'GetCommand']);
    await core.seen.note(tenant, [member]);
    expect(calls()).toContain('PutCommand');
  });

  it('is written again if the write has failed', async () => {
    const core = await dynamodb.create();
    const send = vi.spyOn(core.db, 'send').mockRejectedValueOnce(new Error('throttled'));
    await core.seen.note(tenant, [undefined]);
    send.mockRestore();
    await core.seen.note(tenant, [undefined]);
    expect(await hint(another(core), 'everyone')).toBeUndefined();
  });

  it('is every topic that a session has subscribed to', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const listener = createSubscribeListeners(core).find(({ type }) => type === 'subscribe');
    const frame = await listener?.accept({ topic: 'orders' });
    await frame?.handle(contextOf({ from: sessionOf('c1='), session: sessionOf('c1=') }, ['*']));
    const get = { TableName: core.tables.state, Key: { pk: seenKey('default', orders), sk: 'SEEN' } };
    expect((await core.db.send(new GetCommand(get))).Item).toBeDefined();
  });
});

describe('the answer of a publish', () => {
  const notice = { to: 'type:membr', type: 'notice', content: 1 };

  it('has a hint if nobody got it', async () => {
    const core = await dynamodb.create();
    expect(await core.publish(readPublishRequest(notice))).toMatchObject({
      delivered: 0,
      hint: expect.stringContaining('tenant `default`') as string,
    });
    await core.seen.note('default', [undefined, member]);
    expect(await core.publish(readPublishRequest(notice))).toMatchObject({
      hint: expect.stringContaining('user type `membr`') as string,
    });
    const known = await core.publish(readPublishRequest({ ...notice, to: 'type:member' }));
    expect(known).not.toHaveProperty('hint');
  });

  it('has none if somebody got it, and then nothing is read', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c1='));
    const calls = callsOf(core);
    const answer = await core.publish(readPublishRequest({ ...notice, to: ['type:membr', 'user:member:1'] }));
    expect(answer).not.toHaveProperty('hint');
    expect(calls()).not.toContain('GetCommand');
  });

  it('has the same hint if its messageId comes again', async () => {
    const core = await dynamodb.create();
    const messageId = '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11';
    const first = await core.publish(readPublishRequest({ ...notice, messageId }));
    expect(first).toHaveProperty('hint');
    expect(await core.publish(readPublishRequest({ ...notice, messageId }))).toEqual(first);
  });
});
