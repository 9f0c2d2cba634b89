import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type LocalDynamoDB, startDynamoDB } from '../../dynamodb.ts';
import { type Chat, startChat } from './people.ts';

let dynamodb: LocalDynamoDB;
let chat: Chat;
beforeAll(async () => {
  dynamodb = await startDynamoDB(inject('tableSchemas'));
});
afterAll(() => dynamodb.close());
beforeEach(async () => {
  chat = await startChat(dynamodb);
});

const minuteMs = 60_000;

describe('a private conversation', () => {
  it('is the same one whoever of the two opens it, at the same time too', async () => {
    const [one, other] = await Promise.all([
      chat.ask('ada', 'chat-private-open', { user: 'member:ben' }),
      chat.ask('ben', 'chat-private-open', { user: 'member:ada' }),
    ]);
    expect(other.conversation).toBe(one.conversation);
    expect(one.members.map(({ user }) => user)).toEqual(['member:ada', 'member:ben']);
  });

  it('is unknown to everyone else: to read, to write, to list and to other tenants', async () => {
    const { conversation } = await chat.ask('ada', 'chat-private-open', { user: 'member:ben' });
    await chat.say('ada', conversation, 'secret');
    const unknown = 'not_found: content.conversation: is no conversation of yours';
    const message = { conversation, text: 'hi', clientId: '1' };
    expect(await chat.refused('eve', 'chat-message-list', { conversation })).toBe(unknown);
    expect(await chat.refused('eve', 'chat-message-send', message)).toBe(unknown);
    expect(await chat.refused('eve', 'chat-member-list', { conversation })).toBe(unknown);
    expect(await chat.refused('eve', 'chat-typing', { conversation })).toBe(unknown);
    expect(await chat.refused('eve', 'chat-room-join', { conversation })).toBe(unknown);
    expect(await chat.refused('eve', 'chat-conversation-rename', { conversation, name: 'x' })).toBe(unknown);
    expect((await chat.ask('eve', 'chat-conversation-list', {})).conversations).toEqual([]);
    const { error } = await chat.call('ada', 'chat-message-list', { conversation }, 'other');
    expect(error?.code).toBe('not_found');
  });

  it('is neither left nor opened with oneself', async () => {
    const { conversation } = await chat.ask('ada', 'chat-private-open', { user: 'member:ben' });
    expect(await chat.refused('ada', 'chat-conversation-leave', { conversation })).toMatch(/^forbidden/);
    expect(await chat.refused('ada', 'chat-private-open', { user: 'member:ada' })).toMatch(/^bad_content/);
  });
});

describe('a message', () => {
  it('goes to each member and nobody else, with the name of the sender', async () => {
    const { conversation } = await chat.group('ada', 'ben', 'cid');
    const { sent } = await chat.call('ben', 'chat-message-send', { conversation, text: 'hi', clientId: '1' });
    expect(sent).toMatchObject([
      {
        to: ['user:member:ada', 'user:member:ben', 'user:member:cid'],
        type: 'chat-message',
        content: { offset: 1, text: 'hi', from: { user: 'member:ben', name: 'Ben' } },
      },
    ]);
  });

  it('is stored once, and has one id, however often and however simultaneously it is sent', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const frame = { conversation, text: 'once', clientId: 'same' };
    const tries = await Promise.all(
      Array.from({ length: 5 }, () => chat.ask('ada', 'chat-message-send', frame)),
    );
    expect(new Set(tries.map(({ messageId, offset }) => `${messageId} ${offset}`)).size).toBe(1);
    expect(await chat.texts('ben', conversation)).toEqual(['once']);
    const changed = { ...frame, text: 'other' };
    expect(await chat.refused('ada', 'chat-message-send', changed)).toMatch(/^conflict: content.clientId/);
  });

  it('keeps the client id apart between users and conversations', async () => {
    const [one, two] = [await chat.group('ada', 'ben'), await chat.group('ada', 'ben')];
    for (const { conversation } of [one, two]) {
      await chat.ask('ada', 'chat-message-send', { conversation, text: 'a', clientId: '1' });
      await chat.ask('ben', 'chat-message-send', { conversation, text: 'b', clientId: '1' });
      expect(await chat.texts('ada', conversation)).toEqual(['b', 'a']);
    }
  });

  it.each([
    ['text', { text: '   ' }],
    ['text', { text: 'x'.repeat(4001) }],
    ['clientId', { clientId: '' }],
    ['conversation', { conversation: 'group:a#b' }],
  ])('is refused by its %s', async (field, wrong) => {
    const { conversation } = await chat.group('ada', 'ben');
    const frame = { conversation, text: 'hi', clientId: '1', ...wrong };
    expect(await chat.refused('ada', 'chat-message-send', frame)).toContain(`bad_content: content.${field}`);
  });

  it('comes as JSON text too, from front ends that send content as text', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const content = JSON.stringify({ conversation, text: '{"json":1}', clientId: '1' });
    const { ack } = await chat.call('ada', 'chat-message-send', content);
    expect(JSON.parse(String(ack))).toMatchObject({ offset: 1, text: '{"json":1}' });
    expect(await chat.texts('ben', conversation)).toEqual(['{"json":1}']);
  });

  it('is read in pages, backwards and forwards, each once', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    for (let n = 1; n <= 7; n += 1) await chat.say('ada', conversation, String(n));
    const backwards: number[] = [];
    let before: number | undefined;
    do {
      const page = await chat.ask('ben', 'chat-message-list', { conversation, before, limit: 3 });
      backwards.push(...page.messages.map(({ offset }) => offset));
      before = page.next;
    } while (before !== undefined);
    expect(backwards).toEqual([7, 6, 5, 4, 3, 2, 1]);
    const forwards = await chat.ask('ben', 'chat-message-list', { conversation, after: 4 });
    expect(forwards.messages.map(({ offset }) => offset)).toEqual([5, 6, 7]);
    expect(forwards).toMatchObject({ head: 7 });
    const both = { conversation, before: 3, after: 1 };
    expect(await chat.refused('ben', 'chat-message-list', both)).toMatch(/^bad_content: content.after/);
  });

  it('fits into a frame with its page, however long the texts are', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    for (let n = 1; n <= 12; n += 1) await chat.say('ada', conversation, '界'.repeat(4000));
    const page = await chat.ask('ben', 'chat-message-list', { conversation });
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(120_000);
    expect(page.next).toBe(page.messages.at(-1)?.offset);
  });

  it('is gone after a year', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    await chat.say('ada', conversation, 'old');
    chat.clock.now += 366 * 24 * 60 * minuteMs;
    await chat.say('ada', conversation, 'new');
    expect(await chat.texts('ben', conversation)).toEqual(['new']);
  });
});

describe('a recall', () => {
  it('takes the text from history, from the list and from everyone who got it', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const { offset } = await chat.say('ada', conversation, 'oops');
    chat.clock.now += 2 * minuteMs;
    const { ack, sent } = await chat.call('ada', 'chat-message-recall', { conversation, offset });
    expect(sent).toMatchObject([
      { type: 'chat-recalled', to: ['user:member:ada', 'user:member:ben'], content: { offset } },
    ]);
    const { conversations } = await chat.ask('ben', 'chat-conversation-list', {});
    const history = await chat.ask('ben', 'chat-message-list', { conversation });
    expect(history.messages).toMatchObject([{ offset, from: { name: 'Ada' } }]);
    expect(JSON.stringify([ack, sent, conversations, history])).not.toContain('oops');
  });

  it('twice at once recalls once, and both are acked', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const { offset, messageId } = await chat.say('ada', conversation, 'oops');
    const recalls = await Promise.all(
      [1, 2].map(() => chat.call('ada', 'chat-message-recall', { conversation, offset })),
    );
    expect(recalls.map(({ ack }) => ack)).toMatchObject([{ messageId }, { messageId }]);
    // The id is the same, so the second is not published again.
    const ids = recalls.flatMap(({ sent }) => sent.map((message) => message.messageId));
    expect(new Set(ids).size).toBe(1);
  });

  it('is refused later than two minutes, for the message of another, and for none', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const { offset } = await chat.say('ada', conversation, 'stays');
    const frame = { conversation, offset };
    expect(await chat.refused('ben', 'chat-message-recall', frame)).toBe(
      'forbidden: content.offset: is a message of someone else',
    );
    expect(await chat.refused('ada', 'chat-message-recall', { conversation, offset: 9 })).toMatch(
      /^not_found/,
    );
    chat.clock.now += 2 * minuteMs + 1;
    expect(await chat.refused('ada', 'chat-message-recall', frame)).toBe(
      'conflict: content.offset: is older than 2 minutes and can no longer be recalled',
    );
    expect(await chat.texts('ben', conversation)).toEqual(['stays']);
  });

  it('holds when the message is sent again by a late retry', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const frame = { conversation, text: 'oops', clientId: '1' };
    const { offset } = await chat.ask('ada', 'chat-message-send', frame);
    await chat.ask('ada', 'chat-message-recall', { conversation, offset });
    const { ack, sent } = await chat.call('ada', 'chat-message-send', frame);
    expect(ack).not.toHaveProperty('text');
    expect(sent).toEqual([]);
  });
});

describe('reading', () => {
  it('counts what is unread, not one’s own, and agrees on all devices', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    await chat.say('ada', conversation, '1');
    await chat.say('ada', conversation, '2');
    const unread = async (user: string) =>
      (await chat.ask(user, 'chat-conversation-list', {})).conversations[0]?.unread;
    expect([await unread('ada'), await unread('ben')]).toEqual([0, 2]);
    const { sent } = await chat.call('ben', 'chat-conversation-read', { conversation, offset: 1 });
    expect(sent).toMatchObject([
      {
        to: ['user:member:ben', 'user:member:ada'],
        type: 'chat-read',
        content: { user: 'member:ben', read: 1 },
      },
    ]);
    expect(await unread('ben')).toBe(1);
    expect(await chat.ask('ada', 'chat-member-list', { conversation })).toEqual({
      members: [
        { user: 'member:ada', name: 'Ada', read: 2 },
        { user: 'member:ben', name: 'ben', read: 1 },
      ],
    });
  });

  it('never goes back, is told once, and not beyond the newest message', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    for (const text of ['1', '2', '3']) await chat.say('ada', conversation, text);
    const marks = await Promise.all(
      [3, 1, 2, 3].map((offset) => chat.call('ben', 'chat-conversation-read', { conversation, offset })),
    );
    const last = await chat.call('ben', 'chat-conversation-read', { conversation, offset: 2 });
    expect(last).toMatchObject({ ack: { read: 3 }, sent: [] });
    expect(
      marks.filter(({ sent }) => sent.some(({ content }) => JSON.stringify(content).includes('"read":3'))),
    ).toHaveLength(1);
    expect(await chat.refused('ben', 'chat-conversation-read', { conversation, offset: 4 })).toBe(
      'bad_content: content.offset: must be at most 3, the newest offset',
    );
  });

  it('in a large group is told to the author of the newest message only', async () => {
    const others = Array.from({ length: 20 }, (_, n) => `u${String(n)}`);
    const { conversation } = await chat.group('ada', ...others);
    await chat.say('ada', conversation, 'all');
    const { sent } = await chat.call('u7', 'chat-conversation-read', { conversation, offset: 1 });
    expect(sent).toMatchObject([{ to: ['user:member:u7', 'user:member:ada'] }]);
  });
});

describe('typing', () => {
  it('is told to the others, and kept nowhere', async () => {
    const { conversation } = await chat.group('ada', 'ben', 'cid');
    const { sent } = await chat.call('ada', 'chat-typing', { conversation });
    expect(sent).toEqual([
      {
        to: ['user:member:ben', 'user:member:cid'],
        type: 'chat-typing',
        content: { conversation, from: { user: 'member:ada', name: 'Ada' } },
      },
    ]);
  });
});
