import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatRequests, Message } from '../../../examples/chat/shapes.ts';
import type { Client, Frame } from '../client.ts';
import { type Stack, startStack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** A device of a user, with the frames that it got and no test has looked at. */
class Device {
  private readonly client: Client;
  private readonly others: Frame[] = [];
  private asked = 0;

  constructor(client: Client) {
    this.client = client;
  }

  async ask<Type extends keyof ChatRequests>(
    type: Type,
    content: ChatRequests[Type]['content'],
  ): Promise<ChatRequests[Type]['answer']> {
    const { type: answered, content: answer } = await this.send(type, content);
    expect([type, answered, answer]).toEqual([type, 'ack', answer]);
    return answer as ChatRequests[Type]['answer'];
  }

  /** Resolves to the `ack` or the `error`. */
  async send(type: string, content: unknown): Promise<Frame> {
    const id = `ask-${String((this.asked += 1))}`;
    this.client.send({ type, id, content });
    for (;;) {
      const frame = await this.client.next();
      if (frame['id'] === id) return frame;
      this.others.push(frame);
    }
  }

  /** The next frame of this type. */
  async hear(type: string): Promise<Frame> {
    for (;;) {
      const index = this.others.findIndex((frame) => frame['type'] === type);
      const [found] = index === -1 ? [] : this.others.splice(index, 1);
      if (found) return found;
      this.others.push(await this.client.next());
    }
  }

  /** The types of all frames so far that nobody has looked at. */
  async rest(): Promise<readonly unknown[]> {
    this.others.push(...(await this.client.drain()));
    return this.others.splice(0).map(({ type }) => type);
  }
}

async function device(user: string): Promise<Device> {
  const name = user.charAt(0).toUpperCase() + user.slice(1);
  return new Device(await stack.connect({ user, topics: ['chat.room.*'], claims: { name } }));
}

describe('the chat on the stack', () => {
  it('carries a group: messages, names, reading, typing, a recall, history and a leave', async () => {
    const [ada, phone, ben, cid, eve] = [
      await device('ada'),
      await device('ada'),
      await device('ben'),
      await device('cid'),
      await device('eve'),
    ];
    for (const someone of [ada, ben, cid]) await someone.ask('chat-conversation-list', {});
    const { conversation } = await ada.ask('chat-group-create', {
      name: 'Team',
      clientId: 'team',
      users: ['member:ben', 'member:cid'],
    });
    expect(await cid.hear('chat-conversation')).toMatchObject({
      content: { name: 'Team', members: [{ name: 'Ada' }, { name: 'Ben' }, { name: 'Cid' }] },
    });

    const text = { conversation, clientId: '1', text: 'Hello' };
    const sent = await ada.ask('chat-message-send', text);
    for (const receiver of [ben, cid, phone])
      expect(await receiver.hear('chat-message')).toMatchObject({
        messageId: sent.messageId,
        content: { offset: 1, text: 'Hello', from: { user: 'member:ada', name: 'Ada' } },
        from: { userId: 'ada' },
      });
    // A retry, as after a lost ack: the same answer, and nobody hears it twice.
    expect(await ada.ask('chat-message-send', text)).toEqual(sent);
    expect(await cid.rest()).toEqual([]);

    await ben.ask('chat-typing', { conversation });
    expect(await cid.hear('chat-typing')).toMatchObject({ content: { from: { name: 'Ben' } } });
    await ben.ask('chat-conversation-read', { conversation, offset: 1 });
    for (const someone of [ada, phone, ben, cid])
      expect(await someone.hear('chat-read')).toMatchObject({ content: { user: 'member:ben', read: 1 } });

    const oops = await ben.ask('chat-message-send', { conversation, clientId: '1', text: 'Oops' });
    expect(await ada.send('chat-message-recall', { conversation, offset: oops.offset })).toMatchObject({
      type: 'error',
      content: { code: 'forbidden' },
    });
    await ben.ask('chat-message-recall', { conversation, offset: oops.offset });
    const recalled = await cid.hear('chat-recalled');
    expect(recalled).toMatchObject({ content: { offset: 2, from: { name: 'Ben' } } });
    expect(recalled['content']).not.toHaveProperty('text');

    await cid.ask('chat-conversation-leave', { conversation });
    expect(await ada.hear('chat-conversation')).toBeDefined();
    expect(await cid.send('chat-message-send', { ...text, clientId: '9' })).toMatchObject({ type: 'error' });
    const { messages } = await (await device('ben')).ask('chat-message-list', { conversation });
    expect(messages.map(({ text }: Message) => text)).toEqual([undefined, 'Hello']);

    expect(await eve.send('chat-message-list', { conversation })).toMatchObject({
      type: 'error',
      content: { code: 'not_found' },
    });
    expect(await eve.rest()).toEqual([]);
  });

  it('carries a room on its topic, to who subscribes, and from who has joined', async () => {
    const [ada, ben, cid] = [await device('ada'), await device('ben'), await device('cid')];
    const conversation = 'room:lobby';
    await ada.ask('chat-room-create', { room: 'lobby', name: 'Lobby' });
    await ada.ask('chat-message-send', { conversation, clientId: '1', text: 'Welcome' });
    for (const someone of [ada, ben, cid]) await someone.send('subscribe', { topic: 'chat.room.lobby' });
    expect((await ben.ask('chat-message-list', { conversation })).messages).toMatchObject([
      { text: 'Welcome' },
    ]);
    const text = { conversation, clientId: '1', text: 'Hi all' };
    expect(await ben.send('chat-message-send', text)).toMatchObject({ content: { code: 'not_found' } });
    expect((await ben.ask('chat-room-join', { conversation })).unread).toBe(0);
    await ben.ask('chat-message-send', text);
    for (const someone of [ada, ben, cid])
      expect(await someone.hear('chat-message')).toMatchObject({
        channel: 'topic:chat.room.lobby',
        content: { text: 'Hi all', from: { name: 'Ben' } },
      });
    expect((await cid.ask('chat-member-list', { conversation })).members.map(({ name }) => name)).toEqual([
      'Ada',
      'Ben',
    ]);
    // A token without the topic reads nothing.
    const dan = new Device(await stack.connect({ user: 'dan' }));
    expect(await dan.send('chat-message-list', { conversation })).toMatchObject({ type: 'error' });
    expect((await dan.ask('chat-room-list', {})).rooms).toEqual([]);
  });

  it('keeps every text of many writers at once, each once, in one order for all', async () => {
    const [ada, ben, cid] = [await device('ann'), await device('bob'), await device('cat')];
    const { conversation } = await ada.ask('chat-group-create', {
      name: 'Busy',
      clientId: 'busy',
      users: ['member:bob', 'member:cat'],
    });
    const writers = [ada, ben, cid].map(async (writer, w) => {
      for (let n = 0; n < 8; n += 1)
        await writer.ask('chat-message-send', {
          conversation,
          clientId: String(n),
          text: `${String(w)}-${String(n)}`,
        });
    });
    await Promise.all(writers);
    const read = async (reader: Device) =>
      (await reader.ask('chat-message-list', { conversation })).messages.map(({ text }) => text ?? '');
    const texts = await read(ada);
    expect([...texts].sort()).toEqual(
      [0, 1, 2].flatMap((w) => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `${String(w)}-${String(n)}`)),
    );
    expect(await read(cid)).toEqual(texts);
    const own = texts.filter((text) => text.startsWith('1-'));
    expect(own).toEqual([...own].sort().reverse());
  });
});
