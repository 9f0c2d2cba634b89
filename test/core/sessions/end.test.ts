import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { readPublishRequest } from '../../../protocol/index.ts';
import { reportedEnd } from '../../../core/sessions/end.ts';
import { type Core, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';

const dynamodb = useDynamoDB();
const session = sessionOf('c1=');
const kicked = { code: 'kicked', message: 'x', retry: false } as const;

async function rowOf(core: Core): Promise<Record<string, unknown> | undefined> {
  const Key = { pk: 'USER#default#member#1', sk: 'c1=' };
  return (await core.db.send(new GetCommand({ TableName: core.tables.sessions, Key }))).Item;
}

describe('the end that $disconnect reports', () => {
  it.each([
    [
      { disconnectStatusCode: 1001, disconnectReason: 'Going away' },
      { code: 1001, reason: 'Going away' },
    ],
    [
      { disconnectStatusCode: 1000, disconnectReason: '' },
      { code: 1000, reason: 'closed' },
    ],
    [
      { disconnectStatusCode: null, disconnectReason: null },
      { code: 1006, reason: 'closed' },
    ],
    [{}, { code: 1006, reason: 'closed' }],
  ])('%j is %j', (reported, end) => {
    expect(reportedEnd(reported)).toEqual(end);
  });

  it.each(['lost', 'kicked', 'token_expired', 'revoked'])(
    'is never %s, because a client may send any text',
    (reason) => {
      expect(reportedEnd({ disconnectStatusCode: 4000, disconnectReason: reason }).reason).toBe('closed');
    },
  );
});

describe('the mark that a session has ended', () => {
  const end = { code: 1001, reason: 'Going away' };

  it('stands in its row with the time and the reason', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(session);
    expect(await core.sessions.recordEnd(session, 'c1=', end)).toBe(true);
    expect(await rowOf(core)).toMatchObject({
      endedAt: startOfTime,
      endCode: 1001,
      endReason: 'Going away',
    });
  });

  it('is the first one', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(session);
    expect(await core.sessions.markEnded(session, 'c1=', kicked)).toBe(true);
    expect(await core.sessions.recordEnd(session, 'c1=', end)).toBe(false);
    expect(await rowOf(core)).toMatchObject({ endCode: 1000, endReason: 'kicked' });
  });

  it('makes no row for a session that is gone: its end has been told', async () => {
    const core = await dynamodb.create();
    expect(await core.sessions.markEnded(session, 'c1=', kicked)).toBe(false);
    expect(await rowOf(core)).toBeUndefined();
  });

  it('hides the session from every list of its user', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(session);
    await core.sessions.markEnded(session, 'c1=', kicked);
    expect(await core.sessions.get(session, 'c1=')).toBeUndefined();
    const recipient = { connectionId: 'c1=', identity: session, connectedAt: session.connectedAt };
    expect(await core.sessions.getMany([recipient])).toEqual([]);
    expect((await core.recipients.ofUser(session)).recipients).toEqual([]);
  });

  it('takes the session out of every audience, and leaves it to be found by its id', async () => {
    const core = await dynamodb.create({ shards: 1 });
    for (const id of ['c1=', 'c2=']) await core.sessions.add(sessionOf(id));
    await core.sessions.markEnded(session, 'c1=', kicked);
    const everyone = { tenant: 'default', shard: 0 };
    for (const audience of [everyone, { ...everyone, userType: 'member' }]) {
      const { recipients } = await core.recipients.ofAudience(audience, { includesEnded: true });
      expect(recipients.map(({ connectionId }) => connectionId)).toEqual(['c2=']);
      expect(await core.recipients.countAudience(audience)).toBe(1);
    }
    for (const to of ['everyone', 'type:member'])
      expect(await core.publish(readPublishRequest({ to, type: 'x', content: 1 }))).toMatchObject({
        delivered: 1,
      });
    // A second DELETE of the session finds it by its id, and closes it.
    expect(await core.recipients.byConnection('c1=')).toMatchObject({ connectionId: 'c1=' });
    await core.closeSession(session, kicked);
    expect(await rowOf(core)).toBeUndefined();
  });

  it('of a close by the server stands there before the connection closes, since $disconnect may delete the row', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(session);
    let atClose: unknown;
    const disconnect = core.connections.disconnect.bind(core.connections);
    core.connections.disconnect = async (connectionId, limits) => {
      atClose = await rowOf(core);
      return disconnect(connectionId, limits);
    };
    await core.closeSession(session, kicked);
    expect(atClose).toMatchObject({ endCode: 1000, endReason: 'kicked' });
    expect(await rowOf(core)).toBeUndefined();
  });
});
