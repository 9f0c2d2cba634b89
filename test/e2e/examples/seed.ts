import { BatchWriteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { conversationKey, membershipKey, messageKey, privateId } from '../../../examples/chat/items.ts';
import type { Message } from '../../../examples/chat/shapes.ts';
import type { Stack } from '../stack.ts';
import { onTable } from '../tables.ts';

const tenant = 'default';
const people = [
  { user: 'member:dan', name: 'Dan' },
  { user: 'member:eva', name: 'Eva' },
] as const;

/** Puts a private conversation of Dan and Eva with so many messages into the table. Resolves to its id. */
export async function seedMessages(cloud: Stack['cloud'], count: number): Promise<string> {
  const conversation = privateId(people[0].user, people[1].user);
  const message = (offset: number): Message => ({
    conversation,
    offset,
    messageId: `id-${String(offset)}`,
    clientId: String(offset),
    from: people[offset % 7 < 3 ? 0 : 1],
    // Two minutes apart, the newest one now.
    sentAt: Date.now() - (count - offset) * 120_000,
    text: `Message ${String(offset)}. ${'It says a little more. '.repeat(offset % 5)}`,
  });
  await onTable({ url: cloud.url, cloud }, 'Chat', async (db, table) => {
    for (let first = 1; first <= count; first += 25) {
      const offsets = Array.from({ length: Math.min(25, count - first + 1) }, (_, index) => first + index);
      const items = offsets.map((offset) => ({
        ...messageKey(tenant, conversation, offset),
        ...message(offset),
        expiresAt: Math.ceil(Date.now() / 1000) + 86_400,
      }));
      const puts = items.map((Item) => ({ PutRequest: { Item } }));
      await db.send(new BatchWriteCommand({ RequestItems: { [table]: puts } }));
    }
    for (const { user } of people) {
      const Item = { ...membershipKey(tenant, user, conversation), conversation, user, read: count };
      await db.send(new PutCommand({ TableName: table, Item }));
    }
    const row = {
      ...conversationKey(tenant, conversation),
      conversation,
      kind: 'private',
      members: Object.fromEntries(people.map(({ user, name }) => [user, name])),
      since: Object.fromEntries(people.map(({ user }) => [user, 0])),
      head: count,
      last: message(count),
    };
    await db.send(new PutCommand({ TableName: table, Item: row }));
  });
  return conversation;
}
