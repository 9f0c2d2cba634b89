import { type Clock, createAlarm } from './clock.ts';
import type { Link } from './link.ts';
import type { Recovery } from './recovery.ts';

/** Finds out whether a connection that says nothing still lives, and ends it where it does not. */
export interface Liveness {
  /** From now on, until the link ends. */
  readonly watch: (link: Link) => void;
  /** Now, where nothing has come for a while. */
  readonly check: (link: Link, maxSilenceMs?: number) => void;
  readonly stop: () => void;
}

const quietMs = 30_000;
const answerTimeoutMs = 10_000;
const lookMs = 60_000;
// Browsers hold back the timers of hidden pages to one a minute (Chrome, intensive throttling); that is no sleep.
const sleepMs = 90_000;

export function createLiveness(clock: Clock, probe: Recovery['probe'], heartbeatAfterMs: number): Liveness {
  const alarm = createAlarm(clock);
  let current: Link | undefined;

  function watch(link: Link): void {
    current = link;
    if (link.isEnded) return;
    const delayMs = Math.min(lookMs, link.heardAt + heartbeatAfterMs - clock.now());
    const dueAt = clock.now() + delayMs;
    alarm.set(delayMs, () => {
      // Far too late: the machine slept.
      const isLate = clock.now() - dueAt > sleepMs;
      // API Gateway closes after 10 minutes without a message either way (quotas), and bills each heartbeat. What this
      // side sends is answered, or is looked into when its answer does not come: it is enough to go by what came.
      check(link, isLate ? quietMs : heartbeatAfterMs);
    });
  }

  function check(link: Link, maxSilenceMs = quietMs): void {
    if (clock.now() - link.heardAt >= maxSilenceMs) void listen(link);
    else watch(link);
  }

  async function listen(link: Link): Promise<void> {
    // Whoever else wonders now need not ask too. What comes from here on is later than this.
    const heardAt = (link.heardAt = clock.now() - 1);
    await probe(link, answerTimeoutMs);
    // Whatever came is a sign of life, a refusal too.
    if (link.heardAt === heardAt) await link.end();
    // Another may have replaced it meanwhile.
    else if (link === current) watch(link);
  }

  return { watch, check, stop: alarm.stop };
}
