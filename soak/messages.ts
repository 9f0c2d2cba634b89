import { randomUUID } from 'node:crypto';
import { channelsOf } from './audience.ts';

/** One message of the soak, as sent to `POST /publish`. */
export interface Message {
  readonly channel: string;
  readonly messageId: string;
  readonly content: unknown;
}

/** A message with the offset from the answer of its publish. */
export interface Published extends Message {
  /** The offset in the log. It is absent until a publish of the message is answered. */
  readonly offset?: number;
}

/** The type of every message of the soak. */
export const messageType = 'soak';

// JSON, UTF-8, XML and SQS treat these characters differently, so a wrong encoding shows.
const alphabet = Array.from('abcdefghij0123456789 "\\<&\n\u0000é\u{1f600}\ufffe\ud800');

/**
 * Makes the next message. Seven in ten go to a user, most others to a topic, one in twenty to everyone. Every content is
 * unique and names its channel, so a frame with the content of another message shows.
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
