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

async function members(user: string, conversation: string): Promise<readonly string[]> {
  const { members } = await chat.ask(user, 'chat-member-list', { conversation });
  return members.map((member) => member.user.replace('member:', ''));
}

describe('a group', () => {
  it('is made once by a retry, and shown to all its members', async () => {
    const frame = { name: 'Team', clientId: '1', users: ['member:ben', 'member:ben', 'member:ada'] };
    const one = await chat.call('ada', 'chat-group-create', frame);
    const other = await chat.call('ada', 'chat-group-create', frame);
    expect(other.ack).toEqual(one.ack);
    expect(one.sent).toMatchObject([
      {
        to: ['user:member:ada', 'user:member:ben'],
        type: 'chat-conversation',
        content: { name: 'Team', memberCount: 2 },
      },
    ]);
    expect(other.sent).toEqual([]);
    expect((await chat.ask('ben', 'chat-conversation-list', {})).conversations).toHaveLength(1);
  });

  it('is renamed, and gains and loses members, by its owner only', async () => {
    const { conversation } = await chat.group('ada', 'ben', 'cid');
    const forbidden = 'forbidden: content.conversation: is changed by its owner only';
    expect(await chat.refused('ben', 'chat-conversation-rename', { conversation, name: 'X' })).toBe(
      forbidden,
    );
    expect(await chat.refused('ben', 'chat-member-add', { conversation, user: 'member:dan' })).toBe(
      forbidden,
    );
    expect(await chat.refused('ben', 'chat-member-remove', { conversation, user: 'member:cid' })).toBe(
      forbidden,
    );
    expect(await chat.ask('ada', 'chat-conversation-rename', { conversation, name: 'Crew' })).toMatchObject({
      name: 'Crew',
    });
    const { sent } = await chat.call('ada', 'chat-member-remove', { conversation, user: 'member:cid' });
    expect(sent.map(({ to, type }) => [type, to])).toEqual([
      ['chat-conversation', ['user:member:ada', 'user:member:ben']],
      ['chat-left', ['user:member:cid']],
    ]);
    expect(await members('ben', conversation)).toEqual(['ada', 'ben']);
  });

  it('shows a new member what was said since, and nothing from before or after', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    await chat.say('ada', conversation, 'before');
    await chat.ask('ada', 'chat-member-add', { conversation, user: 'member:cid' });
    await chat.say('ada', conversation, 'since');
    expect(await chat.texts('cid', conversation)).toEqual(['since']);
    expect((await chat.ask('cid', 'chat-conversation-list', {})).conversations).toMatchObject([
      { unread: 1 },
    ]);
    await chat.ask('cid', 'chat-conversation-leave', { conversation });
    await chat.say('ada', conversation, 'after');
    expect(await chat.refused('cid', 'chat-message-list', { conversation })).toMatch(/^not_found/);
    await chat.ask('ada', 'chat-member-add', { conversation, user: 'member:cid' });
    expect(await chat.texts('cid', conversation)).toEqual([]);
    expect(await chat.texts('ada', conversation)).toEqual(['after', 'since', 'before']);
  });

  it('takes one of two who are added at once to the last place', async () => {
    const users = Array.from({ length: 98 }, (_, n) => `u${String(n)}`);
    const { conversation } = await chat.group('ada', ...users);
    const added = await Promise.all(
      ['x', 'y', 'y'].map((user) =>
        chat.call('ada', 'chat-member-add', { conversation, user: `member:${user}` }),
      ),
    );
    const full = added.filter(({ error }) => error?.message === 'content.conversation: is full: 100 members');
    expect(full.length).toBeGreaterThanOrEqual(1);
    expect(full.length).toBeLessThanOrEqual(2);
    expect(added.filter(({ error }) => error).length).toBe(full.length);
    const { conversations } = await chat.ask('ada', 'chat-conversation-list', {});
    expect(conversations).toMatchObject([{ memberCount: 100 }]);
    expect(
      await chat.refused('ada', 'chat-group-create', {
        name: 'x',
        clientId: 'x',
        users: [...users, 'z1', 'z2', 'z3'].map((user) => `member:${user}`),
      }),
    ).toMatch(/^bad_content: content.users/);
  });

  it('goes to the longest member when its owner leaves, and never loses its owner in a race', async () => {
    const { conversation } = await chat.group('ada', 'ben', 'cid', 'dan');
    const leaving = ['ada', 'ben', 'cid'].map((user) =>
      chat.ask(user, 'chat-conversation-leave', { conversation }),
    );
    await Promise.all(leaving);
    const [left] = (await chat.ask('dan', 'chat-conversation-list', {})).conversations;
    expect(left).toMatchObject({ owner: 'member:dan', memberCount: 1 });
    await chat.ask('dan', 'chat-conversation-leave', { conversation });
    await chat.ask('dan', 'chat-conversation-leave', { conversation });
    expect((await chat.ask('dan', 'chat-conversation-list', {})).conversations).toEqual([]);
  });

  it('stores no message of who has left, whatever is sent at that moment', async () => {
    const { conversation } = await chat.group('ada', 'ben');
    const sending = Array.from({ length: 10 }, (_, n) =>
      chat.call('ben', 'chat-message-send', { conversation, text: String(n), clientId: String(n) }),
    );
    const left = await chat.call('ben', 'chat-conversation-leave', { conversation });
    const tries = await Promise.all(sending);
    expect(left.error).toBeUndefined();
    const stored = tries.filter(({ error }) => !error).length;
    expect(tries.filter(({ error }) => error && error.code !== 'not_found')).toEqual([]);
    expect(await chat.texts('ada', conversation)).toHaveLength(stored);
    const late = { conversation, text: 'late', clientId: 'late' };
    expect(await chat.refused('ben', 'chat-message-send', late)).toMatch(/^not_found/);
  });
});

describe('a room', () => {
  const conversation = 'room:lobby';
  const make = (user: string) => chat.ask(user, 'chat-room-create', { room: 'lobby', name: 'Lobby' });

  it('is open to read, but only members write and are listed', async () => {
    await make('ada');
    await chat.say('ada', conversation, 'welcome');
    expect(await chat.texts('ben', conversation)).toEqual(['welcome']);
    const frame = { conversation, text: 'hi', clientId: '1' };
    expect(await chat.refused('ben', 'chat-message-send', frame)).toMatch(/^not_found/);
    await chat.ask('ben', 'chat-room-join', { conversation });
    await chat.ask('ben', 'chat-room-join', { conversation });
    const { sent } = await chat.call('ben', 'chat-message-send', frame);
    expect(sent).toMatchObject([{ to: ['topic:chat.room.lobby'], type: 'chat-message' }]);
    expect(await members('cid', conversation)).toEqual(['ada', 'ben']);
    expect(await chat.ask('cid', 'chat-room-list', {})).toEqual({
      rooms: [{ conversation, name: 'Lobby' }],
    });
  });

  it('has one maker, whose retry succeeds', async () => {
    await make('ada');
    expect((await make('ada')).owner).toBe('member:ada');
    expect(await chat.refused('ben', 'chat-room-create', { room: 'lobby', name: 'Mine' })).toBe(
      'conflict: content.room: exists; join it',
    );
  });

  it('has one maker of two who make it at once, and is listed with its name', async () => {
    const made = await Promise.all(
      ['ada', 'ben'].map((user) => chat.call(user, 'chat-room-create', { room: 'lobby', name: user })),
    );
    expect(made.filter(({ error }) => error?.code === 'conflict')).toHaveLength(1);
    const [winner] = made.flatMap(({ error }, index) => (error ? [] : [['ada', 'ben'][index]]));
    expect((await chat.ask('cid', 'chat-room-list', {})).rooms).toEqual([{ conversation, name: winner }]);
  });

  it('gets an owner again from who joins it empty', async () => {
    await make('ada');
    await chat.ask('ada', 'chat-conversation-leave', { conversation });
    await chat.ask('ben', 'chat-room-join', { conversation });
    expect(await chat.ask('ben', 'chat-conversation-rename', { conversation, name: 'Hall' })).toMatchObject({
      owner: 'member:ben',
    });
    expect((await chat.ask('ada', 'chat-room-list', {})).rooms).toEqual([{ conversation, name: 'Hall' }]);
  });
});
