import { type Clock, createAlarm } from './clock.ts';
import type { Connection } from './connection.ts';
import type { Recovery } from './recovery.ts';

/** Finds out whether a connection that says nothing still lives, and ends it where it does not. */
export interface Liveness {
  /** From now on, until the connection ends. */
  readonly watch: (connection: Connection) => void;
  /** Now, where nothing has come for a while. */
  readonly check: (connection: Connection, maxSilenceMs?: number) => void;
  readonly stop: () => void;
}

const quietMs = 30_000;
const answerTimeoutMs = 10_000;
const lookMs = 60_000;
// Browsers hold back the timers of hidden pages to one a minute (Chrome, intensive throttling); that is no sleep.
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
      // Far too late: the machine slept.
      const isLate = clock.now() - dueAt > sleepMs;
      // API Gateway closes after 10 minutes without a message either way (quotas), and bills each heartbeat. What this
      // side sends is answered, or is looked into when its answer does not come: it is enough to go by what came.
      check(connection, isLate ? quietMs : heartbeatAfterMs);
    });
  }

  function check(connection: Connection, maxSilenceMs = quietMs): void {
    if (clock.now() - connection.heardAt >= maxSilenceMs) void listen(connection);
    else watch(connection);
  }

  async function listen(connection: Connection): Promise<void> {
    // Whoever else wonders now need not ask too. What comes from here on is later than this.
    const heardAt = (connection.heardAt = clock.now() - 1);
    await probe(connection, answerTimeoutMs);
    // Whatever came is a sign of life, a refusal too.
    if (connection.heardAt === heardAt) await connection.end();
    // Another may have replaced it meanwhile.
    else if (connection === current) watch(connection);
  }

  return { watch, check, stop: alarm.stop };
}
