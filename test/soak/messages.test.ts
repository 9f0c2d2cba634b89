import { expect, it } from 'vitest';
import { createDraws } from '../../local/faults/draws.ts';
import { createMessage } from '../../soak/messages.ts';

function createMessages(count: number) {
  const draw = createDraws(1, 'messages');
  return Array.from({ length: count }, (_, serial) => createMessage(serial, 10, draw));
}

it('each message of the soak is unique and names its channel', () => {
  const messages = createMessages(1000);
  expect(new Set(messages.map(({ content }) => JSON.stringify(content))).size).toBe(1000);
  expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(1000);
  for (const { channel, content } of messages) expect(content).toMatchObject({ to: channel });
});

it('the seed of the soak decides which messages go to users, topics and everyone', () => {
  const channels = createMessages(1000).map(({ channel }) => channel);
  const shareOf = (prefix: string) => channels.filter((channel) => channel.startsWith(prefix)).length / 1000;
  expect(shareOf('user:member:soak-')).toBeCloseTo(0.7, 1);
  expect(shareOf('topic:soak.')).toBeCloseTo(0.25, 1);
  expect(shareOf('everyone')).toBeCloseTo(0.05, 1);
  expect(createMessages(1000).map(({ channel }) => channel)).toEqual(channels);
});
