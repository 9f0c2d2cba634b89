import type { Clock } from '../../../client/clock.ts';

interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
}

/** A clock that a test moves, with randomness that a test chooses. */
export class FakeClock implements Clock {
  /** The result of `random`. */
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

  /** Moves the time forward, and runs each timer when it is due. */
  advance(ms: number): void {
    const end = this.ms + ms;
    for (let timer = this.next(end); timer; timer = this.next(end)) {
      this.ms = timer.dueAt;
      this.run(timer);
    }
    this.ms = end;
  }

  /** Moves the time forward as on a sleeping machine: timers that became due run afterwards. */
  sleep(ms: number): void {
    this.ms += ms;
    for (const timer of this.timers.filter(({ dueAt }) => dueAt <= this.ms)) this.run(timer);
  }

  /** The remaining delay of each timer that is set, shortest first. */
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
