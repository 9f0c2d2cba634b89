import type { Faults } from './faults.ts';

/** A slow client has room for so many messages, and takes so long to read each. */
const slowClient = { room: 256, readsInMs: 20 };
const heldBackForMs = 100;

/** Messages on their way to one client. Faults make the client slow or the order wrong. */
export class OutboundQueue {
  readonly #faults: Faults;
  readonly #send: (text: string) => void;
  readonly #isSlow: boolean;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #queue: string[] = [];

  constructor(faults: Faults, send: (text: string) => void) {
    this.#faults = faults;
    this.#send = send;
    this.#isSlow = faults.shouldInject('slowConsumer');
  }

  /** `full`: the client has not read enough of the messages before. */
  send(text: string): 'sent' | 'full' {
    if (this.#isSlow) return this.#sendSlowly(text);
    if (this.#faults.shouldInject('reordered')) {
      this.#later(this.#faults.between('reordered', 0, heldBackForMs), () => {
        this.#send(text);
      });
    } else this.#send(text);
    return 'sent';
  }

  /** Drops the messages that wait. */
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
