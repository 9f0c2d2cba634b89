import { describe, expect, it } from 'vitest';
import { failure, openStage } from './harness/client-under-test.ts';
import type { Sent } from './harness/fake-server.ts';

const note = {
  type: 'note',
  content: 'hi',
  messageId: 'm1',
  channel: 'user:member:42',
  offset: 5,
  epoch: 'e',
};

function answerWith(content: unknown) {
  return openStage({}, (server) => {
    server.script = (frame, connection) => {
      if (!frame.type.startsWith('inbox-')) return false;
      connection.ack(frame, content);
      return true;
    };
  });
}

describe('the inbox', () => {
  it('lists a page', async () => {
    const page = { messages: [note], head: 7, readOffset: 4, next: 5 };
    const { client, connection } = await answerWith(page);
    await expect(client.inbox.list({ after: 4, limit: 1 })).resolves.toEqual(page);
    expect(await contentOf(connection.next('inbox-list'))).toEqual({ after: 4, limit: 1 });
    await client.inbox.list();
    expect(await contentOf(connection.next('inbox-list'))).toEqual({});
  });

  it('counts the unread messages', async () => {
    const { client } = await answerWith({ unread: 3, readOffset: 4 });
    await expect(client.inbox.unread()).resolves.toBe(3);
  });

  it('marks messages as read up to an offset', async () => {
    const { client, connection } = await answerWith({ readOffset: 5 });
    await client.inbox.markRead(5);
    expect(await contentOf(connection.next('inbox-mark-read'))).toEqual({ offset: 5 });
  });

  it('reports what another device has read, until the handler is removed', async () => {
    const { client, connection } = await openStage();
    const reads: number[] = [];
    const end = client.inbox.on('read', ({ readOffset }) => reads.push(readOffset));
    connection.send({ type: 'inbox-read', content: { readOffset: 5 } });
    await client.send('barrier');
    end();
    connection.send({ type: 'inbox-read', content: { readOffset: 6 } });
    await client.send('barrier');
    expect(reads).toEqual([5]);
  });

  it('rejects with the error of the answer, as send does', async () => {
    const { client, server } = await openStage();
    server.script = (frame, connection) => {
      connection.refuse(frame, 'not_implemented');
      return true;
    };
    expect((await failure(client.inbox.unread())).code).toBe('not_implemented');
  });
});

async function contentOf(frame: Promise<Sent>): Promise<unknown> {
  return (await frame).content;
}
