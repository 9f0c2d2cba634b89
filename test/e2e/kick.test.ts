import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendSigned } from '../../publisher/signed-request.ts';
import type { Client, Frame } from './client.ts';
import { signToken, type Stack, startStack } from './stack.ts';
import { onTable } from './tables.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

async function connectionIdOf(user: string): Promise<string> {
  const { body } = await stack.call('GET', `/sessions?userType=member&userId=${user}`);
  const [session] = (body as { sessions: { connectionId: string }[] }).sessions;
  return session?.connectionId ?? '';
}

/** The status of a call of the callback API. */
async function statusOf(method: string, connectionId: string, body?: string): Promise<number> {
  const url = new URL(`/live/@connections/${encodeURIComponent(connectionId)}`, stack.url);
  const response = await sendSigned({ method, url, ...(body !== undefined && { body }) });
  await response.text();
  return response.status;
}

/** Stops a client from reading, and fills every buffer on the way to it. */
async function stopReading(client: Client, connectionId: string): Promise<void> {
  client.socket.pause();
  const filler = 'x'.repeat(100_000);
  while ((await statusOf('POST', connectionId, filler)) === 200);
}

function rowsOf(connectionId: string): Promise<unknown[]> {
  let rows: unknown[] = [];
  return onTable(stack, 'Sessions', async (db, table) => {
    const { Items = [] } = await db.send(new ScanCommand({ TableName: table }));
    rows = Items.filter(({ sk }) => sk === connectionId);
  }).then(() => rows);
}

describe('a client that does not read', () => {
  it('is gone within 2 s of the DELETE, and none of its frames is handled from the mark on', async () => {
    const watcher = await stack.connect({ user: 'watcher' });
    const bad = await stack.connect({ user: 'bad' });
    const connectionId = await connectionIdOf('bad');
    let sent = 0;
    const send = () =>
      bad.send({
        type: 'demo-message-send',
        id: String((sent += 1)),
        content: { text: String(sent), toUserId: 'watcher' },
      });
    send();
    expect(await watcher.next()).toMatchObject({ content: { text: '1' } });
    await stopReading(bad, connectionId);
    // The answers do not reach it any more, but its frames still reach the server.
    send();
    expect(await watcher.next()).toMatchObject({ content: { text: '2' } });

    const start = performance.now();
    const kick = stack.call('DELETE', '/sessions?userType=member&userId=bad');
    // The session is marked. Its connection stays until `closing` has been tried for a second.
    await expect.poll(() => connectionIdOf('bad'), { interval: 5, timeout: 15_000 }).toBe('');
    const sentBefore = sent;
    for (let frame = 0; frame < 40; frame += 1) send();
    expect(await kick).toEqual({ status: 200, body: { closed: 1 } });
    expect(performance.now() - start).toBeLessThan(2_000);
    for (let frame = 0; frame < 40; frame += 1) send();
    expect(await statusOf('GET', connectionId)).toBe(410);
    expect(await rowsOf(connectionId)).toEqual([]);

    const closed = bad.closed();
    bad.socket.resume();
    await closed;
    const seen = (await watcher.drain()).map(({ content }) => Number((content as Frame)['text']));
    expect(Math.max(2, ...seen)).toBeLessThanOrEqual(sentBefore);
    expect(await stack.publish({ to: 'user:member:bad', type: 'x', content: 1 })).toMatchObject({
      body: { delivered: 0, gone: 0, failed: 0 },
    });
  });
});

describe('a kick in the middle of a storm of frames', () => {
  it('leaves no row of the session', async () => {
    const claims = { type: 'member', tenant: 'default', topics: ['*'], ttlSeconds: 7200 };
    for (const user of ['storm-1', 'storm-2', 'storm-3']) {
      const client = await stack.connect({ user, topics: ['*'] });
      const connectionId = await connectionIdOf(user);
      const token = await signToken({ ...claims, user });
      const closed = client.closed();
      for (let at = 0; at < 60; at += 1) {
        const topic = `t${String(at % 20)}`;
        const type = ['subscribe', 'refresh', 'unsubscribe'][at % 3] ?? '';
        client.send({ type, id: String(at), content: type === 'refresh' ? { token } : { topic } });
      }
      expect(await stack.call('DELETE', `/sessions?userType=member&userId=${user}`)).toMatchObject({
        body: { closed: 1 },
      });
      await closed;
      await expect.poll(() => rowsOf(connectionId), { timeout: 15_000 }).toEqual([]);
    }
  });
});
