import { type Clock, createAlarm } from '../clock.ts';
import type { SwitchboardError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Requests } from '../sending/requests.ts';
import type { Subscriptions } from '../topics/subscriptions.ts';
import { readLifetimeMs, readToken, type TokenSource } from './tokens.ts';

/** Extends the session with a `refresh` frame before its token expires. */
export interface Refresh {
  /** `latest` is the token that the server last accepted for this connection. */
  readonly start: (connection: Connection, latest: string) => void;
  readonly stop: () => void;
}

export interface RefreshSettings {
  readonly clock: Clock;
  readonly requests: Requests;
  readonly token: TokenSource;
  readonly onError: (error: SwitchboardError) => void;
  readonly forbid: Subscriptions['forbid'];
}

/** How long before its expiry a token is replaced, at most half its life. Timers of hidden pages are a minute late. */
const leadMs = 120_000;
// The minimum between two attempts.
const minDelayMs = 5000;

export function createRefresh(settings: RefreshSettings): Refresh {
  const { clock, requests, token, onError, forbid } = settings;
  const isFixed = typeof token === 'string';
  const alarm = createAlarm(clock);
  let current: Connection | undefined;
  let endsAt = 0;

  function start(connection: Connection, latest: string): void {
    current = connection;
    const readMs = readLifetimeMs(latest, clock.now());
    // The server has just accepted the token. If it seems expired, this clock is ahead.
    const lifetimeMs = readMs <= 0 ? leadMs : readMs;
    endsAt = clock.now() + lifetimeMs;
    // A fixed token cannot be replaced. At its expiry the client sends a frame, so that the server ends the session.
    schedule(connection, isFixed ? lifetimeMs : Math.max(lifetimeMs - leadMs, lifetimeMs / 2));
  }

  function schedule(connection: Connection, delayMs: number): void {
    // A token that is not a JWT has no readable expiry.
    if (delayMs < Infinity)
      alarm.set(Math.max(delayMs, minDelayMs), () => {
        if (!connection.isEnded) void refresh(connection);
      });
  }

  async function refresh(connection: Connection): Promise<void> {
    // Schedules the next attempt first: a token function may never answer.
    schedule(connection, leadMs / 4);
    // The server ends an expired session at its next frame. Until then it sends the session nothing.
    if (clock.now() > endsAt) void requests.ask(connection, 'ping');
    const reading = await readToken(token);
    const answer = reading.error ? reading : await requests.ask(connection, 'refresh', reading);
    if (connection !== current || connection.isEnded) return;
    if (answer.error) {
      onError(answer.error);
      schedule(connection, 0);
    } else if (!reading.error) {
      start(connection, reading.token);
      // The topics that the new token allows no more. The server has ended their subscriptions.
      const { unsubscribed = [] } = Object(answer.content) as { unsubscribed?: readonly string[] };
      unsubscribed.forEach(forbid);
    }
  }

  return { start, stop: alarm.stop };
}
