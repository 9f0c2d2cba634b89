import { type Clock, createAlarm } from '../clock.ts';
import { disconnected, SwitchboardError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { PauseReason } from './page-events.ts';
import type { Status } from '../status.ts';
import type { Answer } from '../sending/requests.ts';
import { readToken, type TokenSource } from './tokens.ts';

/**
 * The state machine of the client. It has at most one current connection and at most one attempt at the next one.
 * Without a current connection, the attempt reconnects. With one, the attempt makes the new connection before the old
 * one breaks.
 */
export interface Lifecycle {
  readonly status: Status;
  /** The current connection. It exists exactly while the status is `open`. */
  readonly connection: Connection | undefined;
  /** Why the client is closed. */
  readonly closeReason: SwitchboardError | undefined;
  readonly dial: () => void;
  readonly onEnd: (connection: Connection, reason: SwitchboardError) => void;
  /** The server announced that it closes the connection. */
  readonly onClosing: (connection: Connection, reason: SwitchboardError, isRetryable: unknown) => void;
  readonly pause: (reason: PauseReason) => void;
  readonly wake: () => void;
  readonly finish: (reason: SwitchboardError, isFinal: boolean) => Promise<void>;
}

export interface LifecycleSettings {
  readonly clock: Clock;
  readonly token: TokenSource;
  readonly answerTimeoutMs: number;
  readonly renewAfterMs: number;
  /** Resolves to what opens a connection in the URL: the token itself, or a ticket for it. */
  readonly enter: (token: string) => Answer | Promise<Answer>;
  readonly open: (entry: unknown) => Connection;
  /** Restores subscriptions and recovers missed messages. */
  readonly restore: (connection: Connection) => Promise<void>;
  /** Both find out whether the connection still works, and end it if not: `watch` from now on, `check` at once. */
  readonly watch: (connection: Connection) => void;
  readonly check: (connection: Connection) => void;
  readonly onStatus: (status: Status) => void;
  /** The connection is about to become the current one. */
  readonly onConnection: (connection: Connection, token: string) => void;
}

// Full jitter: clients that lost one server together do not come back together (AWS Architecture Blog, "Exponential
// Backoff And Jitter"), and API Gateway takes 500 new connections a second per account.
const minBackoffMs = 500;
const maxBackoffMs = 30_000;
/** How long a connection must last to reset the delays between attempts. */
const stableMs = 5000;
/** How long a replaced connection stays open, for answers and messages that are on their way to it. */
const drainMs = 10_000;
// 5 minutes of 1 h 50 min: clients that a deployment connected together must not renew together.
const renewalJitter = 1 / 22;

export function createLifecycle(settings: LifecycleSettings): Lifecycle {
  const { clock, token } = settings;
  const isFixed = typeof token === 'string';
  const attemptAlarm = createAlarm(clock);
  const renewalAlarm = createAlarm(clock);
  const drainAlarm = createAlarm(clock);
  let status: Status = { state: 'connecting' };
  let current: Connection | undefined;
  let replaced: Connection | undefined;
  let attempt: { connection?: Connection } | undefined;
  let attempts = 0;
  let openedAt = 0;

  function become(next: Status): void {
    status = next;
    settings.onStatus(next);
  }
  function reconnecting(reason: SwitchboardError, retryInMs: number): void {
    become({ state: 'reconnecting', reason, retryInMs });
  }
  function isResting(): boolean {
    return status.state === 'paused' || status.state === 'closed';
  }
  function dial(): void {
    // The WebSocket class throws, for example for `ws:` on an `https:` page. A retry would not help.
    connect().catch((cause: unknown) => finish(new SwitchboardError('refused', String(cause)), true));
  }

  async function connect(): Promise<void> {
    if (attempt || isResting()) return;
    const mine: { connection?: Connection } = (attempt = {});
    attemptAlarm.set(settings.answerTimeoutMs, () => failed(disconnected()));
    const reading = await readToken(token);
    if (attempt !== mine) return;
    if (reading.error) {
      failed(reading.error, reading.error.code === 'forbidden');
      return;
    }
    const entry = await settings.enter(reading.token);
    if (attempt !== mine) return;
    if (entry.error) {
      failed(entry.error);
      return;
    }
    const connection = (mine.connection = settings.open(entry.content));
    const refusal = await connection.opened;
    if (attempt !== mine) return;
    if (refusal) {
      failed(refusal);
      return;
    }
    attemptAlarm.stop();
    await settings.restore(connection);
    if (attempt !== mine) return;
    if (connection.isEnded) failed(disconnected());
    else promote(connection, reading.token);
  }

  /** A fixed token would be refused again. Only `ws` tells why a handshake was, so `refused` is not final. */
  function failed(reason: SwitchboardError, isFinal = isFixed && /forb|_40[13]/.test(reason.code)): void {
    void abort();
    if (!isFinal) retryLater(reason);
    // A current session may stay until it ends. The attempt after that is refused in turn.
    else if (!current) void finish(reason, true);
  }

  function retryLater(reason: SwitchboardError): void {
    const retryInMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** attempts++) * clock.random();
    attemptAlarm.set(retryInMs, dial);
    if (!current) reconnecting(reason, retryInMs);
  }

  async function abort(reason?: SwitchboardError): Promise<void> {
    const connection = attempt?.connection;
    attempt = undefined;
    attemptAlarm.stop();
    await connection?.end(reason);
  }

  function promote(connection: Connection, usedToken: string): void {
    const old = current;
    current = connection;
    attempt = undefined;
    openedAt = clock.now();
    renewalAlarm.set(settings.renewAfterMs * (1 - renewalJitter * clock.random()), dial);
    settings.watch(connection);
    settings.onConnection(connection, usedToken);
    if (old) drain(old);
    else become({ state: 'open' });
  }

  function drain(connection: Connection): void {
    void replaced?.end();
    replaced = connection;
    drainAlarm.set(drainMs, () => void connection.end());
  }

  async function finish(reason: SwitchboardError, isFinal: boolean): Promise<void> {
    if (status.state !== 'closed') become({ state: 'closed', reason, final: isFinal });
    await rest(reason);
  }

  async function rest(reason: SwitchboardError): Promise<void> {
    drainAlarm.stop();
    await Promise.all([abort(reason), current?.end(reason), replaced?.end(reason)]);
  }

  return {
    get status() {
      return status;
    },
    get connection() {
      return current;
    },
    get closeReason() {
      return status.state === 'closed' ? status.reason : undefined;
    },
    dial,
    finish,
    onEnd(connection, reason) {
      if (connection !== current) return;
      current = undefined;
      renewalAlarm.stop();
      if (clock.now() - openedAt >= stableMs) attempts = 0;
      if (isResting()) return;
      if (attempt) reconnecting(reason, 0);
      else retryLater(reason);
    },
    onClosing(connection, reason, isRetryable) {
      const isFinal = !isRetryable || (isFixed && reason.code === 'token_expired');
      void (isFinal ? finish(reason, true) : connection.end(reason));
    },
    pause(code) {
      if (isResting()) return;
      const reason = new SwitchboardError(code);
      become({ state: 'paused', reason });
      // The Page Lifecycle asks to close on `freeze`. An open socket also keeps a page out of the back/forward cache.
      void rest(reason);
    },
    wake() {
      if (status.state === 'paused') reconnecting(status.reason, 0);
      if (current) settings.check(current);
      else dial();
    },
  };
}
