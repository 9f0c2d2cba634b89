import type { Clock } from '../../client/clock.ts';

interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it, and a chance that a test chooses. */
export class FakeClock implements Clock {
  /** What `random` gives. */
  chance = 0.5;
  private ms = Date.UTC(2026, 10, 20, 12);
  private timers: readonly Timer[] = [];

  now(): number {
    return this.ms;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { dueAt: this.ms + ms, run };
    this.timers = [...this.timers, timer];
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Time passes, and each timer runs when it is due. */
  advance(ms: number): void {
    const end = this.ms + ms;
    for (let timer = this.next(end); timer; timer = this.next(end)) {
      this.ms = timer.dueAt;
      this.run(timer);
    }
    this.ms = end;
  }

  /** Time passes while nothing runs, as in a machine that sleeps: what was due runs late. */
  sleep(ms: number): void {
    this.ms += ms;
    for (const timer of this.timers.filter(({ dueAt }) => dueAt <= this.ms)) this.run(timer);
  }

  /** How long from now until each timer that is set, in order. */
  get delaysMs(): readonly number[] {
    return this.timers.map(({ dueAt }) => dueAt - this.ms).sort((a, b) => a - b);
  }

  private next(end: number): Timer | undefined {
    return [...this.timers].sort((a, b) => a.dueAt - b.dueAt).find(({ dueAt }) => dueAt <= end);
  }

  private run(timer: Timer): void {
    this.timers = this.timers.filter((other) => other !== timer);
    timer.run();
  }
}
