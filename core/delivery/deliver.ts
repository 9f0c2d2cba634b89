import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '../clock.ts';
import { type ConnectionsClient, isRetryable, type PostOutcome, reasonOf } from '../connections/client.ts';
import type { Recipient } from '../sessions/items.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { handshakeWindowMs } from '../timing.ts';
import type { Pacer } from './pacer.ts';
import type { PayloadFor } from './payloads.ts';

export interface DeliverOptions {
  readonly sessions: Pick<Sessions, 'removeGone'>;
  readonly connections: Pick<ConnectionsClient, 'postAll'>;
  /** Holds the posts to a rate. @default - as fast as they go */
  readonly pacer?: Pacer | undefined;
  readonly logger: Pick<Logger, 'warn'>;
  readonly clock: Pick<Clock, 'now' | 'wait' | 'random'>;
}

/** The outcome of a delivery. The three counts add up to the number of recipients. */
export interface Delivery {
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
  /** By connection id. A recipient without one was not reached before the deadline, and counts as failed. */
  readonly outcomes: ReadonlyMap<string, PostOutcome>;
  /** Every post was answered 410, by an endpoint that has never delivered. The endpoint may be wrong. */
  readonly isEndpointDoubted: boolean;
}

/** Sends each recipient the payload of its form. `deadline` in epoch milliseconds. */
export type Deliver = (
  recipients: readonly Recipient[],
  payloadFor: PayloadFor,
  deadline: number,
) => Promise<Delivery>;

/** Throttled posts are retried in rounds of their own, after all other recipients had their turn. */
const retryRounds = 4;
const firstRetryWithinMs = 200;

export function createDeliver(options: DeliverOptions): Deliver {
  const { sessions, connections, pacer, logger, clock } = options;
  // A wrong callback endpoint answers 410 for every id. So a 410 only counts from an endpoint that has delivered.
  let isProven = false;

  async function post(recipients: readonly Recipient[], payloadFor: PayloadFor, deadline: number) {
    const forms = new Map(recipients.map(({ connectionId, contentAs }) => [connectionId, contentAs]));
    const payloadOf = (connectionId: string) => payloadFor(forms.get(connectionId));
    const outcomes = new Map<string, PostOutcome>();
    let open = recipients;
    for (let round = 0; open.length > 0; round += 1) {
      const ids = open.map(({ connectionId }) => connectionId);
      await connections.postAll(pacer ? paced(ids, pacer) : ids, payloadOf, {
        deadline,
        onOutcome: (connectionId, outcome) => outcomes.set(connectionId, outcome),
      });
      open = open.filter(({ connectionId }) => isRetryable(outcomes.get(connectionId)));
      // Full jitter, so that workers that were throttled together do not retry together.
      const pauseMs = clock.random() * firstRetryWithinMs * 2 ** round;
      if (round === retryRounds || clock.now() + pauseMs >= deadline) break;
      if (open.length > 0) await clock.wait(pauseMs);
    }
    return outcomes;
  }

  return async (recipients, payloadFor, deadline) => {
    const outcomes = await post(recipients, payloadFor, deadline);
    const withOutcome = (wanted: PostOutcome['outcome']) =>
      recipients.filter(({ connectionId }) => outcomes.get(connectionId)?.outcome === wanted);
    const delivered = withOutcome('sent').length;
    const gone = withOutcome('gone');
    const failed = recipients.length - delivered - gone.length;
    isProven ||= delivered > 0;
    const isEndpointDoubted = gone.length > 0 && !isProven;
    if (failed > 0) logger.warn('posts failed', { failed, reasons: countReasons(outcomes) });
    if (isEndpointDoubted) logger.warn('every post was answered 410: is the callback endpoint right?');
    const forgotten = isProven
      ? gone.filter(({ connectedAt }) => connectedAt < clock.now() - handshakeWindowMs)
      : [];
    await Promise.all(forgotten.map((recipient) => sessions.removeGone(recipient)));
    return { delivered, gone: gone.length, failed, outcomes, isEndpointDoubted };
  };
}

function countReasons(outcomes: ReadonlyMap<string, PostOutcome>): Record<string, number> {
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
