import { type Identity, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Rate } from './rate.ts';
import { createRateCounter, type RateCounterOptions } from './rate-counter.ts';
import { unitsOf } from './units.ts';

export interface LimitOptions extends RateCounterOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly connectionRate: Rate;
  /** For all connections of a user together, and for `POST /messages`. */
  readonly userRate: Rate;
}

/** Who sends. Without a session the frame came by `POST /messages`. */
export interface LimitedSender {
  readonly identity: Identity;
  readonly session: { readonly connectionId: string; readonly connectedAt: number } | undefined;
}

/** Resolves to a `rate_limited`, if the sender has spent its units. The type is `undefined` if it could not be read. */
export type Limit = (sender: LimitedSender, type: string | undefined) => Promise<Refusal | undefined>;

/** A client that reconnects subscribes to all of its topics again. So this early, `subscribe` counts for the user only. */
const openingMs = 10_000;

export function createLimit({ connectionRate, userRate, ...options }: LimitOptions): Limit {
  const { clock } = options;
  const takeOfConnection = createRateCounter(options, connectionRate);
  const limitUser = createUserLimit(options, userRate);

  return async ({ identity, session }, type) => {
    const units = unitsOf(type);
    const isOpening = type === 'subscribe' && session && clock.now() < session.connectedAt + openingMs;
    if (session && !isOpening) {
      const waitMs = await takeOfConnection(`connection#${session.connectionId}`, units);
      if (waitMs > 0) return refusal('connection', waitMs);
    }
    return limitUser(identity, units);
  };
}

/** Resolves to a `rate_limited`, if the user has spent the units of all connections and requests together. */
export function createUserLimit(options: RateCounterOptions, rate: Rate) {
  const take = createRateCounter(options, rate);
  return async ({ tenant, userType, userId }: Identity, units: number): Promise<Refusal | undefined> => {
    const waitMs = await take(`user#${tenant}#${userType}#${userId}`, units);
    return waitMs > 0 ? refusal('user', waitMs) : undefined;
  };
}

function refusal(of: string, waitMs: number): Refusal {
  const message = `This ${of} sends too many frames; try again in ${waitMs} ms.`;
  return new Refusal('rate_limited', message, [], waitMs);
}
