import { setTimeout as wait } from 'node:timers/promises';
import { createDraws } from '../local/faults/draws.ts';
import { sendSigned } from '../publisher/signed-request.ts';
import { createMessage, type Message, messageType, type Published } from './messages.ts';

/** The number of concurrent publishers. */
const publishers = 16;

// If the function of a publish is killed, its claim counts as abandoned after 35 s. An earlier retry is refused.
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

  /** Publishes once. Resolves to whether the publish succeeded. */
  async function publish(slot: number, { channel, messageId, content }: Message): Promise<boolean> {
    const body = JSON.stringify({ to: channel, type: messageType, durable: true, messageId, content });
    const offset = await post(body);
    if (offset === undefined) return false;
    published[slot] = { channel, messageId, content, offset };
    counts.published += 1;
    return true;
  }

  /** Retries with the same `messageId` until the publish succeeds, as a service would. */
  async function retry(slot: number, message: Message, deadline: number): Promise<void> {
    while (performance.now() + retryAfterMs < deadline) {
      counts.retried += 1;
      await wait(retryAfterMs);
      if (await publish(slot, message)) return;
    }
  }

  /** Resolves to the offset, or to `undefined` if the publish did not succeed. */
  async function post(body: string): Promise<number | undefined> {
    const response = await sendSigned({ method: 'POST', url: new URL(`${url}/publish`), body }).catch(
      (cause: unknown) => {
        // fetch throws a TypeError if the connection breaks.
        if (cause instanceof TypeError) return undefined;
        throw cause;
      },
    );
    if (!response?.ok) return undefined;
    return ((await response.json()) as { offset: number }).offset;
  }

  return {
    /** Every message that was sent to the stack. */
    published: published as readonly Published[],
    counts: counts as Readonly<typeof counts>,
    /** Resolves to whether all messages were published in time. */
    async run(withinMs: number): Promise<boolean> {
      const deadline = performance.now() + withinMs;
      const retries: Promise<void>[] = [];
      const isMore = () => published.length < messages && performance.now() < deadline;
      const publishNext = async (): Promise<void> => {
        const message = createMessage(published.length, clients, draw);
        // The message is recorded before the first attempt: a publish without an answer may have stored it.
        const slot = published.push(message) - 1;
        // A message that waits for its retry does not delay the others.
        if (!(await publish(slot, message))) retries.push(retry(slot, message, deadline));
      };
      const publishAll = async (): Promise<void> => {
        while (isMore()) await publishNext();
      };
      const working: Promise<void>[] = [];
      // Publishers start one after another. On a busy machine, functions that start together may time out.
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
