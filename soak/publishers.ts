import { setTimeout as wait } from 'node:timers/promises';
import { createDraws } from '../local/faults/draws.ts';
import { sendSigned } from '../publisher/signed-request.ts';
import { createMessage, type Message, messageType, type Published } from './messages.ts';

/** How many publish at the same time. */
const publishers = 16;

// The record of a publish whose function was killed counts as abandoned after 35 s. An earlier retry is refused.
const retryAfterMs = 36_000;

export function createPublishers(options: {
  readonly url: string;
  readonly messages: number;
  readonly clients: number;
  readonly seed: number;
}) {
  const { url, messages, clients, seed } = options;
  const draw = createDraws(seed, 'publishers');
  const published: Published[] = [];
  const counts = { published: 0, retried: 0 };

  /** Publishes once; resolves to whether it was answered. */
  async function publish(slot: number, { channel, messageId, content }: Message): Promise<boolean> {
    const body = JSON.stringify({ to: channel, type: messageType, durable: true, messageId, content });
    const offset = await post(body);
    if (offset === undefined) return false;
    published[slot] = { channel, messageId, content, offset };
    counts.published += 1;
    return true;
  }

  /** Retries with the same `messageId` until an answer comes, as a service does. */
  async function retry(slot: number, message: Message, deadline: number): Promise<void> {
    while (performance.now() + retryAfterMs < deadline) {
      counts.retried += 1;
      await wait(retryAfterMs);
      if (await publish(slot, message)) return;
    }
  }

  /** Resolves to the offset, or to nothing where no good answer came. */
  async function post(body: string): Promise<number | undefined> {
    const response = await sendSigned({ method: 'POST', url: new URL(`${url}/publish`), body }).catch(
      (cause: unknown) => {
        // fetch throws this where the connection broke.
        if (cause instanceof TypeError) return undefined;
        throw cause;
      },
    );
    if (!response?.ok) return undefined;
    return ((await response.json()) as { offset: number }).offset;
  }

  return {
    /** Every message that was handed to the stack. */
    published: published as readonly Published[],
    counts: counts as Readonly<typeof counts>,
    /** Resolves to whether everything was published in time. */
    async run(withinMs: number): Promise<boolean> {
      const deadline = performance.now() + withinMs;
      const retries: Promise<void>[] = [];
      const isMore = () => published.length < messages && performance.now() < deadline;
      const publishNext = async (): Promise<void> => {
        const message = createMessage(published.length, clients, draw);
        // Kept before the first try: a publish without an answer may have stored its message.
        const slot = published.push(message) - 1;
        // A message that waits for its retry holds up no other.
        if (!(await publish(slot, message))) retries.push(retry(slot, message, deadline));
      };
      const publishAll = async (): Promise<void> => {
        while (isMore()) await publishNext();
      };
      const working: Promise<void>[] = [];
      // One after another: functions that all start at once may run into their time-outs on a busy machine.
      while (working.length < publishers && isMore()) {
        await publishNext();
        working.push(publishAll());
      }
      await Promise.all(working);
      await Promise.all(retries);
      return counts.published === messages;
    },
  };
}
