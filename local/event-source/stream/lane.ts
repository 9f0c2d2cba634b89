import type { Clock } from '../../clock.ts';
import type { StreamRecord } from '../../dynamodb/stream.ts';
import type { Faults } from '../../faults/faults.ts';
import type { Outcome } from '../../lambda/functions.ts';
import { batchesOf, maxBatchBytes, recordBytes, reportedFailures } from '../batch.ts';
import type { SendFailure } from './failure.ts';
import type { StreamSettings } from './settings.ts';

interface Arrived {
  readonly record: StreamRecord;
  readonly bytes: number;
  /** In time of the cloud. */
  readonly at: number;
}

/** AWS does not document its pauses. Here each pause is twice as long as the one before it. */
const firstPauseMs = 250;
const longestPauseMs = 30_000;

/**
 * Gives records to the function in their order, one batch at a time. A batch that fails blocks the records after it.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export class Lane {
  readonly #settings: StreamSettings;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #sendFailure: SendFailure;
  readonly #waiting: Arrived[] = [];
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(settings: StreamSettings, clock: Clock, faults: Faults, sendFailure: SendFailure) {
    this.#settings = settings;
    this.#clock = clock;
    this.#faults = faults;
    this.#sendFailure = sendFailure;
  }

  push(record: StreamRecord): void {
    this.#waiting.push({ record, bytes: recordBytes(record), at: this.#clock.now() });
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  async run(): Promise<void> {
    const { batchSize, batchingWindowMs } = this.#settings;
    while (!this.#isStopped()) {
      const [first] = this.#waiting;
      if (first === undefined) {
        await this.#change();
        continue;
      }
      await this.#until(first.at + batchingWindowMs, () => this.#isFull());
      const [batch = []] = batchesOf(this.#waiting.slice(0, batchSize), batchSize);
      await this.#deliver(batch, 0);
      this.#waiting.splice(0, batch.length);
    }
  }

  /** Ends when each record has succeeded or is given up. */
  async #deliver(batch: readonly Arrived[], retriesBefore: number): Promise<void> {
    const { lambda, bisects, maxRetries, reportsItemFailures } = this.#settings;
    let left = batch;
    let retries = retriesBefore;
    let outcome: Outcome | undefined;
    for (let invocations = 0; ; invocations++) {
      const expired = left.filter((each) => this.#isExpired(each));
      await this.#giveUp(expired, 'RecordAgeExceeded', invocations, outcome);
      left = left.slice(expired.length);
      if (left.length === 0 || this.#isStopped()) return;

      outcome = await lambda.invoke(eventOf(left));
      if (this.#isStopped()) return;
      const failed = failedFrom(left, outcome, reportsItemFailures);
      if (failed.length === 0) return this.#repeat(left);
      const madeProgress = failed.length < left.length;
      left = failed;

      // Neither a throttled function nor a split uses up the retries.
      const isSplit = bisects && outcome.status !== 'throttled' && (madeProgress || left.length > 1);
      if (outcome.status !== 'throttled' && !isSplit && retries++ >= maxRetries) {
        return this.#giveUp(left, 'RetryAttemptsExhausted', invocations + 1, outcome);
      }
      await this.#until(this.#clock.now() + Math.min(longestPauseMs, firstPauseMs * 2 ** invocations));
      // With a partial response, the batch is split at the reported record. The part before it has succeeded.
      if (isSplit && !madeProgress) {
        const half = Math.ceil(left.length / 2);
        await this.#deliver(left.slice(0, half), retries);
        return this.#deliver(left.slice(half), retries);
      }
    }
  }

  /** Lambda may give a batch to the function twice. */
  async #repeat(batch: readonly Arrived[]): Promise<void> {
    if (this.#faults.shouldInject('duplicateDelivery')) await this.#settings.lambda.invoke(eventOf(batch));
  }

  async #giveUp(
    batch: readonly Arrived[],
    condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded',
    invocations: number,
    outcome: Outcome | undefined,
  ): Promise<void> {
    if (batch.length === 0 || this.#isStopped()) return;
    const records = batch.map(({ record }) => record);
    await this.#sendFailure({ records, condition, invocations, outcome });
  }

  #isExpired({ at }: Arrived): boolean {
    return this.#clock.now() - at > this.#settings.maxAgeMs;
  }

  #isFull(): boolean {
    const bytes = this.#waiting.reduce((sum, each) => sum + each.bytes, 0);
    return this.#waiting.length >= this.#settings.batchSize || bytes >= maxBatchBytes;
  }

  /** Waits for a time of the cloud, and no longer than until there is enough. */
  async #until(time: number, isEnough: () => boolean = () => false): Promise<void> {
    while (!this.#isStopped() && this.#clock.now() < time && !isEnough())
      await this.#change(time - this.#clock.now());
  }

  /** Waits for a record, the stop, or the time. */
  #change(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === undefined ? undefined : this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel?.();
        resolve();
      };
    });
  }

  #isStopped(): boolean {
    return this.#stopped;
  }
}

function eventOf(batch: readonly Arrived[]): object {
  return { Records: batch.map(({ record }) => record) };
}

/** The records from the first failed one on. Lambda takes the lowest sequence number of a partial response. */
function failedFrom(
  batch: readonly Arrived[],
  outcome: Outcome,
  reportsItemFailures: boolean,
): readonly Arrived[] {
  if (outcome.status !== 'ok') return batch;
  if (!reportsItemFailures) return [];
  const numberOf = ({ record }: Arrived): string => record.dynamodb.SequenceNumber;
  const failed = reportedFailures(outcome.payload, batch.map(numberOf));
  const at = batch.findIndex((each) => failed.has(numberOf(each)));
  return at === -1 ? [] : batch.slice(at);
}
