import { randomUUID } from 'node:crypto';
import { channelsOf } from './audience.ts';

/** One message of the soak, as it was handed to `POST /publish`. */
export interface Message {
  readonly channel: string;
  readonly messageId: string;
  readonly content: unknown;
}

/** A message, and where the answer of its publish puts it. */
export interface Published extends Message {
  /** Its offset in the log; absent while no publish of it was answered. */
  readonly offset?: number;
}

/** The type of every message of the soak. */
export const messageType = 'soak';

// Characters that JSON, UTF-8, XML and SQS treat in different ways: a message that is encoded wrongly shows.
const alphabet = Array.from('abcdefghij0123456789 "\\<&\n\u0000é\u{1f600}\ufffe\ud800');

/**
 * The next message: seven in ten go to a user, most others to a topic, one in twenty to everyone. No two contents are
 * alike, and each names its channel: a frame that carries another message's content shows.
 */
export function createMessage(serial: number, clients: number, draw: () => number): Message {
  const [user = '', topic = '', everyone = ''] = channelsOf(Math.floor(draw() * clients));
  const kind = draw();
  const channel = kind < 0.7 ? user : kind < 0.95 ? topic : everyone;
  const text = Array.from(
    { length: 8 + Math.floor(draw() * 32) },
    () => alphabet[Math.floor(draw() * alphabet.length)],
  );
  return { channel, messageId: randomUUID(), content: { serial, to: channel, text: text.join('') } };
}
