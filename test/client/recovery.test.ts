import { describe, expect, it } from 'vitest';
import type { Client, Lost } from '../../client/index.ts';
import { openStage, stage } from './harness/client-under-test.ts';
import type { Script } from './harness/fake-server.ts';

const user = 'user:member:42';

/** Collects the contents of all `note`s. */
function notesOf(client: Client): unknown[] {
  const notes: unknown[] = [];
  client.on('note', (content) => notes.push(content));
  return notes;
}

/** The token now belongs to another user, who has no right to the first user's log. */
const forbidTheFirstUser: Script = (frame, connection) => {
  const { channels } = Object(frame.content) as { channels?: { channel: string }[] };
  if (channels?.[0]?.channel !== user) return false;
  connection.refuse(frame, 'forbidden');
  return true;
};

describe('durable messages', () => {
  it('are requested by short names without an offset on the first open, to learn the positions', async () => {
    const { connection } = await openStage();
    const { content } = await connection.next('recover');
    expect(content).toEqual({
      channels: [{ channel: 'user' }, { channel: 'type' }, { channel: 'everyone' }],
      messagesIn: 'ack',
    });
  });

  it('are not requested with durable: false, and are then delivered once, as they come', async () => {
    const { client, server, connection } = await openStage({ durable: false });
    const notes = notesOf(client);
    server.publish(user, 'first');
    connection.send({ ...server.publish(user, 'second') });
    await client.send('barrier');
    expect(notes).toEqual(['first', 'second']);
    expect(connection.received.all.map(({ type }) => type)).toEqual(['barrier']);
  });

  it('that come before the position is known are held and not lost', async () => {
    const { client, server } = await stage({}, (prepared) => {
      prepared.script = (frame, connection) => {
        if (frame.type !== 'recover') return false;
        // Published after the open and before the read of the log, so the ack's offset includes the message.
        connection.send(prepared.logs.append(user, 'note', 'early'));
        connection.ack(frame, prepared.logs.read('recover', frame.content).content);
        return true;
      };
    });
    const notes = notesOf(client);
    await client.send('barrier');
    server.publish(user, 'next');
    await client.send('barrier');
    expect(notes).toEqual(['early', 'next']);
  });

  it.each([
    ['in the ack', true],
    ['as frames, as an older server sends them', false],
  ])('that were missed come in order %s, before new requests are sent', async (_how, isInAck) => {
    const { client, server, clock, become } = await openStage();
    server.logs.knowsMessagesInAck = isInAck;
    const notes = notesOf(client);
    server.publish(user, 1);
    await client.send('barrier');
    server.cut();
    await become('reconnecting');
    for (const content of [2, 3, 4]) server.logs.append(user, 'note', content);
    server.logs.append('everyone', 'note', 'to all');
    server.logs.pageSize = 2;
    clock.advance(500);
    await become('open');
    await client.send('barrier');
    expect(notes).toEqual([1, 2, 3, 'to all', 4]);
  });

  it('are recovered from the position with its epoch', async () => {
    const { client, server, clock, become } = await openStage();
    server.publish(user, 1);
    await client.send('barrier');
    server.cut();
    await server.connections.all[0]?.closed;
    await become('reconnecting');
    clock.advance(500);
    const connection = await server.connections.next();
    const { content } = await connection.next('recover');
    expect(content).toMatchObject({
      channels: [{ channel: user, epoch: `epoch-of-${user}`, offset: 1 }, {}, {}],
    });
  });

  it('beyond a gap are held, until the client asks for the gap after a grace period', async () => {
    const { client, server, connection, clock } = await openStage();
    const notes = notesOf(client);
    const missed = server.logs.append(user, 'note', 'missed');
    server.publish(user, 'live');
    await client.send('barrier');
    expect(notes).toEqual([]);
    await connection.next('recover');
    clock.advance(750);
    const { content } = await connection.next('recover');
    expect(content).toEqual({
      channels: [{ channel: user, epoch: missed.epoch, offset: 0 }],
      messagesIn: 'ack',
    });
    await client.send('barrier');
    expect(notes).toEqual(['missed', 'live']);
  });

  it('are not requested if a gap closes without a request', async () => {
    const { client, server, connection, clock } = await openStage();
    const notes = notesOf(client);
    const [first, second] = [1, 2].map((content) => server.logs.append(user, 'note', content));
    connection.send(second ?? {}, first ?? {});
    await client.send('barrier');
    await connection.next('recover');
    clock.advance(60_000);
    await client.send('barrier');
    expect(notes).toEqual([1, 2]);
    expect(connection.received.all.filter(({ type }) => type === 'recover')).toEqual([]);
  });

  it('continue after an offset that was never written', async () => {
    const { client, server, clock } = await openStage();
    const notes = notesOf(client);
    server.publish(user, 'before');
    server.logs.skip(user);
    server.publish(user, 'after');
    await client.send('barrier');
    expect(notes).toEqual(['before']);
    clock.advance(750);
    while (notes.length < 2) await client.send('barrier');
    expect(notes).toEqual(['before', 'after']);
  });

  it('are requested at growing intervals while the server does not have them', async () => {
    const { client, server, connection, clock } = await openStage();
    await connection.next('recover');
    server.script = (frame, self) => {
      if (frame.type !== 'recover') return false;
      self.ack(frame, {
        channels: [{ channel: user, epoch: `epoch-of-${user}`, offset: 0, recovered: true }],
      });
      return true;
    };
    server.logs.append(user, 'note', 'young');
    server.publish(user, 'live');
    await client.send('barrier');
    for (const delayMs of [750, 1500, 3000, 6000]) {
      clock.advance(delayMs - 1);
      await client.send('barrier');
      expect(connection.received.all.filter(({ type }) => type === 'recover')).toEqual([]);
      clock.advance(1);
      await connection.next('recover');
      await client.send('barrier');
    }
  });

  it('that are lost are reported, and later ones are delivered', async () => {
    const { client, server, clock, become } = await openStage();
    const notes = notesOf(client);
    const lost: Lost[] = [];
    client.on('lost', (gap) => lost.push(gap));
    server.publish(user, 'old');
    await client.send('barrier');
    server.cut();
    await become('reconnecting');
    server.logs.restart(user, 'new-epoch');
    server.logs.append(user, 'note', 'never seen');
    clock.advance(500);
    await become('open');
    server.publish(user, 'new');
    await client.send('barrier');
    expect(notes).toEqual(['old', 'new']);
    const from = { epoch: `epoch-of-${user}`, offset: 1 };
    expect(lost).toEqual([{ channel: user, from, to: { epoch: 'new-epoch', offset: 1 } }]);
  });

  it('of an ack that reports a loss come after the report', async () => {
    const { client, server, clock, become } = await openStage();
    const events: unknown[] = [];
    client.on('note', (content) => events.push(content));
    client.on('lost', ({ from, to }) => events.push([from.offset, to.offset]));
    server.publish(user, 1);
    await client.send('barrier');
    server.cut();
    await become('reconnecting');
    const [expired, kept] = [2, 3].map((content) => server.logs.append(user, 'note', content));
    server.script = (frame, connection) => {
      if (frame.type !== 'recover') return false;
      const { epoch, offset } = kept ?? {};
      const entry = { channel: user, epoch, offset, recovered: false, messages: [kept] };
      connection.ack(frame, { channels: [entry] });
      return true;
    };
    clock.advance(500);
    await become('open');
    await client.send('barrier');
    expect(events).toEqual([1, [(expired?.offset ?? 0) - 1, 3], 3]);
  });

  it('are delivered as they come if the server refuses the position, and the refusal is reported', async () => {
    const { client, server, errors } = await openStage({}, (prepared) => {
      prepared.script = (frame, connection) => {
        if (frame.type !== 'recover') return false;
        connection.refuse(frame, 'unknown_type');
        return true;
      };
    });
    expect((await errors.next()).code).toBe('unknown_type');
    const notes = notesOf(client);
    server.publish(user, 'live');
    await client.send('barrier');
    expect(notes).toEqual(['live']);
  });

  it('start again if the token belongs to another user after a reconnect', async () => {
    const { client, server, errors, clock, become } = await openStage();
    const notes = notesOf(client);
    server.publish(user, 'to the first');
    await client.send('barrier');
    server.script = forbidTheFirstUser;
    server.cut();
    await become('reconnecting');
    clock.advance(500);
    expect((await errors.next()).code).toBe('forbidden');
    await become('reconnecting');
    clock.advance(1000);
    await become('open');
    await client.send('barrier');
    expect(notes).toEqual(['to the first']);
  });

  it('of the first user end at once if a renewal brings the token of another user', async () => {
    const { client, server, connection, clock, become } = await openStage({ renewAfterMs: 60_000 });
    const notes = notesOf(client);
    server.publish(user, 'to the first');
    await client.send('barrier');
    server.script = forbidTheFirstUser;
    clock.advance(60_000);
    expect((await become('reconnecting')).retryInMs).toBe(0);
    connection.send({ type: 'note', content: 'late', messageId: 'm1' });
    await connection.closed;
    clock.advance((await become('reconnecting')).retryInMs);
    await become('open');
    await client.send('barrier');
    expect(notes).toEqual(['to the first']);
  });

  it('that were missed are requested on another connection after a temporary error', async () => {
    const { client, server, clock, errors, become } = await openStage();
    const notes = notesOf(client);
    server.publish(user, 1);
    await client.send('barrier');
    server.cut();
    await become('reconnecting');
    server.logs.append(user, 'note', 2);
    server.script = (frame, connection) => {
      if (frame.type !== 'recover') return false;
      connection.refuse(frame, 'internal');
      return true;
    };
    clock.advance(500);
    expect((await errors.next()).code).toBe('internal');
    await become('reconnecting');
    server.script = () => false;
    clock.advance(1000);
    await become('open');
    expect(notes).toEqual([1, 2]);
  });

  it('with the same messageId come once, even from two channels', async () => {
    const { client, server, connection } = await openStage();
    const notes = notesOf(client);
    const frame = server.publish(user, 'twice');
    connection.send({ ...server.logs.append('everyone', 'note', 'twice'), messageId: frame.messageId ?? '' });
    await client.send('barrier');
    expect(notes).toEqual(['twice']);
  });
});
