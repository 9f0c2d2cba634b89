import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createDraws } from '../local/faults/draws.ts';
import { sendSigned } from '../publisher/signed-request.ts';
import { channelsHeardBy, topicOf, userOf } from './audience.ts';

/** A publish that was answered: what the logs must hold. */
export interface Acknowledged {
  readonly channel: string;
  readonly messageId: string;
  readonly offset: number;
}

interface Message {
  readonly channel: string;
  readonly messageId: string;
  readonly content: number;
}

/** How many publish at the same time. */
const publishers = 16;

// A publish whose function was killed half-way is taken for abandoned after 35 s; until then its retry would be refused.
const retryAfterMs = 36_000;

export function channelsOf(clients: number): readonly string[] {
  return [...new Set(Array.from({ length: clients }, (_, client) => channelsHeardBy(client)).flat())];
}

export function createPublishers(options: {
  readonly url: string;
  readonly messages: number;
  readonly clients: number;
  readonly seed: number;
}) {
  const { url, messages, clients, seed } = options;
  const draw = createDraws(seed, 'publishers');
  const acknowledged: Acknowledged[] = [];
  const counts = { published: 0, retried: 0 };
  let begun = 0;

  /** Seven in ten to a user, most others to a topic, one in twenty to everyone. */
  function nextMessage(): Message {
    const client = Math.floor(draw() * clients);
    const kind = draw();
    const user = `user:member:${userOf(client)}`;
    const channel = kind < 0.7 ? user : kind < 0.95 ? `topic:${topicOf(client)}` : 'everyone';
    return { channel, messageId: randomUUID(), content: begun++ };
  }

  /** Until it is answered: a service that was not told retries with the same `messageId`. */
  async function publish(message: Message, deadline: number): Promise<void> {
    const { channel, ...rest } = message;
    const body = JSON.stringify({ to: channel, type: 'soak', durable: true, ...rest });
    while (performance.now() < deadline) {
      const offset = await post(body);
      if (offset !== undefined) {
        acknowledged.push({ channel, messageId: message.messageId, offset });
        counts.published += 1;
        return;
      }
      counts.retried += 1;
      await wait(Math.min(retryAfterMs, Math.max(0, deadline - performance.now())));
    }
  }

  async function post(body: string): Promise<number | undefined> {
    const response = await sendSigned({ method: 'POST', url: new URL(`${url}/publish`), body }).catch(
      (cause: unknown) => {
        // What fetch throws where the connection broke.
        if (cause instanceof TypeError) return undefined;
        throw cause;
      },
    );
    if (!response?.ok) return undefined;
    return ((await response.json()) as { offset: number }).offset;
  }

  return {
    acknowledged: acknowledged as readonly Acknowledged[],
    counts: counts as Readonly<typeof counts>,
    /** Resolves to whether everything was published in time. */
    async run(withinMs: number): Promise<boolean> {
      const deadline = performance.now() + withinMs;
      const waiting = new Set<Promise<void>>();
      const work = async (): Promise<void> => {
        while (begun < messages && performance.now() < deadline) {
          const message = nextMessage();
          const published = publish(message, deadline).finally(() => waiting.delete(published));
          waiting.add(published);
          // One that has to wait for its retry is not in the way of the others.
          await Promise.race([published, wait(2000)]);
        }
      };
      await Promise.all(Array.from({ length: publishers }, work));
      await Promise.all(waiting);
      return counts.published === messages;
    },
  };
}
