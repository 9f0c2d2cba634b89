import { type Clock, createAlarm } from './clock.ts';
import type { SwitchboardError } from './errors.ts';
import type { Connection } from './connection.ts';
import type { Requests } from './requests.ts';
import { readLifetimeMs, readToken, type TokenSource } from './tokens.ts';

/** Lengthens the session in band, before its token expires. */
export interface Refresh {
  /** `latest` is the token that the server took for this connection. */
  readonly start: (connection: Connection, latest: string) => void;
  readonly stop: () => void;
}

export interface RefreshSettings {
  readonly clock: Clock;
  readonly requests: Requests;
  readonly token: TokenSource;
  readonly onError: (error: SwitchboardError) => void;
}

/** How long before its expiry a token is replaced; half its life where that is less. Hidden pages are a minute late. */
const leadMs = 120_000;
// Between two tries.
const minDelayMs = 5000;

export function createRefresh({ clock, requests, token, onError }: RefreshSettings): Refresh {
  const isFixed = typeof token === 'string';
  const alarm = createAlarm(clock);
  let current: Connection | undefined;
  let endsAt = 0;

  function start(connection: Connection, latest: string): void {
    current = connection;
    const readMs = readLifetimeMs(latest, clock.now());
    // Where it seems over this clock is ahead: the server has just taken it.
    const lifetimeMs = readMs <= 0 ? leadMs : readMs;
    endsAt = clock.now() + lifetimeMs;
    // There is no other token: the server is asked for its word once this one is over.
    schedule(connection, isFixed ? lifetimeMs : Math.max(lifetimeMs - leadMs, lifetimeMs / 2));
  }

  function schedule(connection: Connection, delayMs: number): void {
    // The expiry of what is no JWT cannot be read.
    if (delayMs < Infinity)
      alarm.set(Math.max(delayMs, minDelayMs), () => {
        if (!connection.isEnded) void refresh(connection);
      });
  }

  async function refresh(connection: Connection): Promise<void> {
    // Again, whatever becomes of this: a token function may never answer.
    schedule(connection, leadMs / 4);
    // The server ends a session that is over when it hears of it, and sends it nothing until then.
    if (clock.now() > endsAt) void requests.ask(connection, 'ping');
    const reading = await readToken(token);
    const answer = 'token' in reading ? await requests.ask(connection, 'refresh', reading) : reading;
    if (connection !== current || connection.isEnded) return;
    if ('token' in reading && 'content' in answer) start(connection, reading.token);
    else {
      if ('error' in answer) onError(answer.error);
      schedule(connection, 0);
    }
  }

  return { start, stop: alarm.stop };
}
