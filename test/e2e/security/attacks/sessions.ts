import { writeCursor } from '../../../../core/tables/page-cursor.ts';
import type { Client } from '../../client.ts';
import type { Stack } from '../../stack.ts';
import { tokenOf } from '../use.ts';
import type { Attack } from './attack.ts';

/** A user whose token allowed `secret.*`, and whose new token allows `open.*` alone. */
async function connectWithLess(stack: Stack, user: string): Promise<Client> {
  const client = await stack.connect({ user, topics: ['secret.*', 'open.*'] });
  await client.ask({ type: 'subscribe', id: '1', content: { topic: 'secret.1' } });
  await client.ask({ type: 'subscribe', id: '2', content: { topic: 'open.1' } });
  // The new token ends later, so that the session follows it.
  const token = await tokenOf({ user, topics: ['open.*'], ttlSeconds: 7000 });
  await client.ask({ type: 'refresh', id: '3', content: { token } });
  return client;
}

function withLess(name: string, frame: object, expected: object): Attack {
  return {
    name: `a user whose new token has fewer topics ${name}`,
    async run(stack) {
      const client = await connectWithLess(stack, 'less');
      const answer = await client.ask({ id: '4', ...frame });
      await client.close();
      return answer;
    },
    expected,
  };
}

const forbidden = { type: 'error', content: { code: 'forbidden' } };

const rightsAfterRefresh: readonly Attack[] = [
  withLess('subscribes to a lost one', { type: 'subscribe', content: { topic: 'secret.2' } }, forbidden),
  withLess(
    'recovers a lost one',
    { type: 'recover', content: { channels: [{ channel: 'topic:secret.1', epoch: '' }] } },
    forbidden,
  ),
  withLess(
    'subscribes to one that is left',
    { type: 'subscribe', content: { topic: 'open.2' } },
    { type: 'ack' },
  ),
  {
    name: 'a user whose new token has fewer topics waits for messages of a lost one',
    async run(stack) {
      const client = await connectWithLess(stack, 'waits');
      const publish = (topic: string) => stack.publish({ to: `topic:${topic}`, type: 'x', content: topic });
      const lost = await publish('secret.1');
      await publish('open.1');
      const { content } = await client.next();
      await client.expectSilence();
      await client.close();
      return { lost, content };
    },
    expected: { lost: { body: { delivered: 0 } }, content: 'open.1' },
  },
];

const member = 'default:member:';

/** Positions that no page ended at. */
const cursors: readonly (readonly [what: string, cursor: string])[] = [
  ['a position before the range', writeCursor(member, { shard: 0, after: '!' })],
  ['a position behind the range', writeCursor(member, { shard: 0, after: 'zzz' })],
  ['a position among another type', writeCursor(member, { shard: 0, after: 'admin#x' })],
  ['an empty position', writeCursor(member, { shard: 0, after: '' })],
  ['a position of 513 characters', writeCursor(member, { shard: 0, after: 'a'.repeat(513) })],
  ['a shard below zero', writeCursor(member, { shard: -1 })],
  ['a part of a shard', writeCursor(member, { shard: 0.5 })],
  ['another type', writeCursor('default:admin:', { shard: 0 })],
  ['another tenant', writeCursor('acme:member:', { shard: 0 })],
  ['no JSON', 'swordfish'],
];

const tampered: readonly Attack[] = cursors.map(([what, cursor]) => ({
  name: `a cursor with ${what}`,
  run: (stack) => stack.call('GET', `/sessions?userType=member&cursor=${cursor}`),
  expected: { status: 400, body: { error: { code: 'bad_request' } } },
}));

const flood: Attack = {
  name: 'a flood of frames, which is refused with the time to wait',
  async run(stack) {
    const client = await stack.connect({ user: 'flooder' });
    for (;;) {
      // Within one window, this is above the burst of a user.
      for (let frame = 0; frame < 300; frame += 1) client.send({ type: 'ping', id: '1' });
      const answers = await Promise.all(Array.from({ length: 300 }, () => client.next()));
      const refused = answers.find(({ type }) => type === 'error');
      if (!refused) continue;
      await client.close();
      const { code, retryAfterMs } = refused['content'] as { code: string; retryAfterMs: number };
      return { code, isWithinWindow: retryAfterMs > 0 && retryAfterMs <= 2000 };
    }
  },
  expected: { code: 'rate_limited', isWithinWindow: true },
};

/**
 * Other attacks have tests of their own in test/e2e: kicks (kick), revocations and the count of sessions (ends), tickets
 * (tickets), services (service-tenants), `send` and `requires` (targets/messages), storms of topics (subscription-storm).
 */
export const sessions: readonly Attack[] = [...rightsAfterRefresh, ...tampered, flood];
