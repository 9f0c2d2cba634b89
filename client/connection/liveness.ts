import { type Clock, createAlarm } from '../clock.ts';
import type { Connection } from './connection.ts';
import type { Recovery } from '../channels/recovery.ts';

/** Finds out whether a silent connection still works, and ends it if not. */
export interface Liveness {
  /** Watches the connection from now on, until it ends. */
  readonly watch: (connection: Connection) => void;
  /** Checks the connection now if it has been silent for a while. */
  readonly check: (connection: Connection, maxSilenceMs?: number) => void;
  readonly stop: () => void;
}

const quietMs = 30_000;
const answerTimeoutMs = 10_000;
const lookMs = 60_000;
// Browsers run the timers of hidden pages once a minute (Chrome, intensive throttling). That is not a sleep.
const sleepMs = 90_000;

export function createLiveness(clock: Clock, probe: Recovery['probe'], heartbeatAfterMs: number): Liveness {
  const alarm = createAlarm(clock);
  let current: Connection | undefined;

  function watch(connection: Connection): void {
    current = connection;
    if (connection.isEnded) return;
    const delayMs = Math.min(lookMs, connection.heardAt + heartbeatAfterMs - clock.now());
    const dueAt = clock.now() + delayMs;
    alarm.set(delayMs, () => {
      // A timer this late means that the machine slept.
      const isLate = clock.now() - dueAt > sleepMs;
      // API Gateway closes after 10 minutes without a message either way (quotas), and bills each heartbeat. Only
      // received messages count here: a sent frame gets an answer, or its time-out starts a check.
      check(connection, isLate ? quietMs : heartbeatAfterMs);
    });
  }

  function check(connection: Connection, maxSilenceMs = quietMs): void {
    if (clock.now() - connection.heardAt >= maxSilenceMs) void listen(connection);
    else watch(connection);
  }

  async function listen(connection: Connection): Promise<void> {
    // Marks the connection as checked, so that no second probe starts. A later message gets a later time.
    const heardAt = (connection.heardAt = clock.now() - 1);
    await probe(connection, answerTimeoutMs);
    // Any message shows that the connection works, even a refusal.
    if (connection.heardAt === heardAt) await connection.end();
    // Another connection may have replaced this one meanwhile.
    else if (connection === current) watch(connection);
  }

  return { watch, check, stop: alarm.stop };
}
