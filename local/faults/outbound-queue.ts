import type { Faults } from './faults.ts';

/** How many messages wait for a slow client before there is no more room, and how long it takes for each. */
const slowClient = { room: 256, readsInMs: 20 };
const heldBackForMs = 100;

/** The way of messages to one client, which may be slow, or let one overtake another. */
export class Outlet {
  readonly #faults: Faults;
  readonly #send: (text: string) => void;
  readonly #isSlow: boolean;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #queue: string[] = [];

  constructor(faults: Faults, send: (text: string) => void) {
    this.#faults = faults;
    this.#send = send;
    this.#isSlow = faults.strikes('slowConsumer');
  }

  /** `full`: the client has not read what was sent before. */
  send(text: string): 'sent' | 'full' {
    if (this.#isSlow) return this.#sendSlowly(text);
    if (this.#faults.strikes('reordered')) {
      this.#later(this.#faults.between('reordered', 0, heldBackForMs), () => {
        this.#send(text);
      });
    } else this.#send(text);
    return 'sent';
  }

  /** Nothing that waits is sent any more. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#queue.length = 0;
  }

  #sendSlowly(text: string): 'sent' | 'full' {
    if (this.#queue.length >= slowClient.room) return 'full';
    this.#queue.push(text);
    if (this.#queue.length === 1) this.#readNext();
    return 'sent';
  }

  #readNext(): void {
    this.#later(slowClient.readsInMs, () => {
      const text = this.#queue.shift();
      if (text !== undefined) this.#send(text);
      if (this.#queue.length > 0) this.#readNext();
    });
  }

  #later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, ms);
    this.#timers.add(timer);
  }
}
