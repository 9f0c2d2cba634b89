import type { Logger } from '@aws-lambda-powertools/logger';
import type { Delivered } from '../protocol/index.ts';
import type { Poster } from './poster.ts';
import type { Recipient, Sessions } from './sessions.ts';

export interface DeliverOptions {
  readonly sessions: Sessions;
  readonly poster: Poster;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
}

/** Sends a frame to each recipient at once; the counts add up to the recipients. */
export type Deliver = (
  recipients: readonly Recipient[],
  frame: string,
) => Promise<Pick<Delivered, 'delivered' | 'gone' | 'failed'>>;

// The publish function has 30 s, as the HTTP API in front of it. What is not sent by then counts as failed.
const sendingTimeMs = 20_000;

// A post before `$connect` has returned is answered 410 too. The integration's limit is 29 s; this is twice that.
const handshakeWindowMs = 60_000;

export function createDeliver({ sessions, poster, log, now }: DeliverOptions): Deliver {
  // A wrong callback endpoint answers 410 for every id. One that has delivered is right, and only its 410s are
  // believed: a session is never forgotten on the word of an endpoint that has proved nothing.
  let isProven = false;

  return async (recipients, frame) => {
    const byId = new Map(recipients.map((recipient) => [recipient.connectionId, recipient]));
    const gone: Recipient[] = [];
    const counts = await poster.postAll(byId.keys(), poster.prepare(frame), {
      deadline: now() + sendingTimeMs,
      onOutcome: (connectionId, { outcome }) => {
        const recipient = byId.get(connectionId);
        if (outcome === 'gone' && recipient) gone.push(recipient);
        if (outcome === 'sent') isProven = true;
      },
    });
    const failed = recipients.length - counts.sent - counts.gone;
    if (failed > 0) log.warn('posts failed', { ...counts });
    if (!isProven && gone.length > 0)
      log.warn('every post was answered 410: is the callback endpoint right?');
    const forgotten = isProven
      ? gone.filter(({ connectedAt }) => connectedAt < now() - handshakeWindowMs)
      : [];
    await Promise.all(forgotten.map((recipient) => sessions.removeGone(recipient)));
    return { delivered: counts.sent, gone: counts.gone, failed };
  };
}
