import type { Clock } from '../../clock.ts';
import type { Faults } from '../../faults/faults.ts';
import { batchesOf } from '../batch.ts';
import { eventRecord, type EventRecord, succeeded } from './message.ts';
import type { QueueSettings } from './settings.ts';
import { asList, asRecord } from '../../json.ts';
import type { Sqs } from '../../sqs/sqs.ts';

/** SQS lets a receiver wait at most so long. */
const longPollSeconds = 20;

/** Brings the messages of one queue to a function. */
export class QueuePoller {
  readonly settings: QueueSettings;
  readonly #sqs: Pick<Sqs, 'call'>;
  readonly #clock: Clock;
  readonly #faults: Faults;
  #stopped = false;
  #running = 0;
  #slotFreed: () => void = () => undefined;

  constructor(settings: QueueSettings, sqs: Pick<Sqs, 'call'>, clock: Clock, faults: Faults) {
    this.settings = settings;
    this.#sqs = sqs;
    this.#clock = clock;
    this.#faults = faults;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#slotFreed();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#slot();
      if (this.#isStopped()) return;
      for (const batch of batchesOf(await this.#collect(), this.settings.batchSize)) {
        await this.#slot();
        // The function may be closed by now. The queue is closed too, so no message is lost.
        if (this.#isStopped()) return;
        this.#running++;
        void this.#process(batch).finally(() => {
          this.#running--;
          this.#slotFreed();
        });
      }
    }
  }

  /** Without a batching window, the messages of one call. With one, the messages that arrive within it. */
  async #collect(): Promise<readonly EventRecord[]> {
    const { batchSize, batchingWindowMs } = this.settings;
    const records = [...(await this.#receive(batchSize, longPollSeconds))];
    if (records.length === 0 || batchingWindowMs === 0) return records;
    const endsAt = this.#clock.now() + batchingWindowMs;
    while (records.length < batchSize && !this.#stopped) {
      const leftMs = endsAt - this.#clock.now();
      if (leftMs <= 0) break;
      records.push(
        ...(await this.#receive(
          batchSize - records.length,
          Math.min(longPollSeconds, Math.ceil(leftMs / 1000)),
        )),
      );
    }
    return records;
  }

  async #receive(count: number, waitSeconds: number): Promise<readonly EventRecord[]> {
    const { queueName, queueArn } = this.settings;
    const { body } = await this.#sqs.call('ReceiveMessage', queueName, {
      MaxNumberOfMessages: Math.min(10, count),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    return asList(body.Messages).map((message) => eventRecord(asRecord(message), queueArn));
  }

  /** A message that fails is not deleted. It comes back after its visibility timeout. */
  async #process(batch: readonly EventRecord[]): Promise<void> {
    const { lambda, queueName, reportsItemFailures } = this.settings;
    const outcome = await lambda.invoke({ Records: batch });
    const done = succeeded(batch, outcome, reportsItemFailures);
    // A standard queue delivers at least once (standard-queues-at-least-once-delivery).
    if (done.length > 0 && this.#faults.shouldInject('duplicateDelivery'))
      await lambda.invoke({ Records: done });
    for (let at = 0; at < done.length && !this.#stopped; at += 10) {
      const entries = done
        .slice(at, at + 10)
        .map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      await this.#sqs.call('DeleteMessageBatch', queueName, { Entries: entries });
    }
  }

  async #slot(): Promise<void> {
    while (this.#running >= this.settings.maxConcurrency && !this.#stopped) {
      await new Promise<void>((resolve) => (this.#slotFreed = resolve));
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }
}
