import type { Logger } from '@aws-lambda-powertools/logger';
import type { Pacer } from './pacer.ts';
import {
  type ConnectionsClient,
  isRetryable,
  type Payload,
  type PostOutcome,
  reasonOf,
} from '../connections/client.ts';
import type { Recipient } from '../sessions/items.ts';
import type { Sessions } from '../sessions/sessions.ts';

export interface DeliverOptions {
  readonly sessions: Sessions;
  readonly connections: ConnectionsClient;
  /** Holds the posts to a rate. @default - as fast as they go */
  readonly pacer?: Pacer;
  readonly log: Pick<Logger, 'warn'>;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** What became of a frame; the three counts add up to the recipients. */
export interface Delivery {
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
  /** By connection id; a recipient that was not reached before the deadline has none, and counts as failed. */
  readonly outcomes: ReadonlyMap<string, PostOutcome>;
  /** Every post was answered 410 by an endpoint that has never delivered: it is wrong, not the clients. */
  readonly isEndpointDoubted: boolean;
}

/** Sends a payload to each recipient. `deadline` in epoch milliseconds. */
export type Deliver = (
  recipients: readonly Recipient[],
  payload: Payload,
  deadline: number,
) => Promise<Delivery>;

// A post before `$connect` has returned is answered 410 too. The integration's limit is 29 s; this is twice that.
const handshakeWindowMs = 60_000;

/** Rounds in which what was throttled or failed for a moment is tried again, after everybody else had their turn. */
const retryRounds = 4;
const firstRetryWithinMs = 200;

export function createDeliver(options: DeliverOptions): Deliver {
  const { sessions, connections, pacer, log, now, wait, random } = options;
  // A wrong callback endpoint answers 410 for every id. One that has delivered is right, and only its 410s are
  // believed: a session is never forgotten on the word of an endpoint that has proved nothing.
  let isProven = false;

  async function post(open: readonly Recipient[], payload: Payload, deadline: number) {
    const outcomes = new Map<string, PostOutcome>();
    for (let round = 0; open.length > 0; round += 1) {
      const ids = open.map(({ connectionId }) => connectionId);
      await connections.postAll(pacer ? paced(ids, pacer) : ids, payload, {
        deadline,
        onOutcome: (connectionId, outcome) => outcomes.set(connectionId, outcome),
      });
      open = open.filter(({ connectionId }) => isRetryable(outcomes.get(connectionId)));
      // Full jitter, so that workers that were throttled together do not come back together.
      const pauseMs = random() * firstRetryWithinMs * 2 ** round;
      if (round === retryRounds || now() + pauseMs >= deadline) break;
      if (open.length > 0) await wait(pauseMs);
    }
    return outcomes;
  }

  return async (recipients, payload, deadline) => {
    const outcomes = await post(recipients, payload, deadline);
    const having = (wanted: PostOutcome['outcome']) =>
      recipients.filter(({ connectionId }) => outcomes.get(connectionId)?.outcome === wanted);
    const delivered = having('sent').length;
    const gone = having('gone');
    const failed = recipients.length - delivered - gone.length;
    isProven ||= delivered > 0;
    if (failed > 0) log.warn('posts failed', { failed, reasons: reasonsOf(outcomes) });
    if (gone.length > 0 && !isProven)
      log.warn('every post was answered 410: is the callback endpoint right?');
    const forgotten = isProven
      ? gone.filter(({ connectedAt }) => connectedAt < now() - handshakeWindowMs)
      : [];
    await Promise.all(forgotten.map((recipient) => sessions.removeGone(recipient)));
    return {
      delivered,
      gone: gone.length,
      failed,
      outcomes,
      isEndpointDoubted: gone.length > 0 && !isProven,
    };
  };
}

function reasonsOf(outcomes: ReadonlyMap<string, PostOutcome>): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const outcome of outcomes.values()) {
    if (outcome.outcome === 'sent' || outcome.outcome === 'gone') continue;
    reasons[reasonOf(outcome)] = (reasons[reasonOf(outcome)] ?? 0) + 1;
  }
  return reasons;
}

async function* paced(ids: readonly string[], pacer: Pacer): AsyncGenerator<string> {
  for (const id of ids) {
    const turn = pacer();
    if (turn) await turn;
    yield id;
  }
}
