import { type Clock, createAlarm } from './clock.ts';
import type { SwitchboardError } from './errors.ts';
import type { Link } from './link.ts';
import type { Requests } from './requests.ts';
import { readLifetimeMs, readToken, type TokenSource } from './tokens.ts';

/** Lengthens the session in band, before its token expires. */
export interface Refresh {
  /** `latest` is the token that the server took for this connection. */
  readonly start: (link: Link, latest: string) => void;
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
// Between two tries, and between two refreshes where this clock is so far ahead that every token seems over.
const minDelayMs = 5000;

export function createRefresh({ clock, requests, token, onError }: RefreshSettings): Refresh {
  const alarm = createAlarm(clock);
  let current: Link | undefined;

  function start(link: Link, latest: string): void {
    current = link;
    // A ticket's expiry cannot be read: its session ends with `closing`, and the next one is opened.
    if (typeof token !== 'string') schedule(link, readLifetimeMs(latest, clock.now()));
  }

  function schedule(link: Link, lifetimeMs: number): void {
    const delayMs = Math.max(lifetimeMs - leadMs, lifetimeMs / 2, minDelayMs);
    if (delayMs < Infinity) alarm.set(delayMs, () => void refresh(link));
  }

  async function refresh(link: Link): Promise<void> {
    const reading = await readToken(token);
    const answer = 'token' in reading ? await requests.ask(link, 'refresh', reading) : reading;
    if (link !== current || link.isEnded) return;
    if ('token' in reading && 'content' in answer) start(link, reading.token);
    else {
      // Once the token is over the server closes, and the next connection is opened or refused.
      if ('error' in answer) onError(answer.error);
      schedule(link, 0);
    }
  }

  return { start, stop: alarm.stop };
}
