import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { StreamRecord } from '../../dynamodb/stream.ts';
import type { Faults } from '../../faults/faults.ts';
import type { SendFailure } from './failure.ts';
import { Lane } from './lane.ts';
import type { StreamSettings } from './settings.ts';

/**
 * Brings the records of one stream to a function. The calls that Lambda makes to read a stream are free, so the meter
 * does not count them: https://aws.amazon.com/dynamodb/pricing/on-demand/
 */
export class StreamReader {
  readonly settings: StreamSettings;
  readonly #lanes: readonly Lane[];
  #endReading: () => void = () => undefined;

  constructor(settings: StreamSettings, clock: Clock, faults: Faults, sendFailure: SendFailure) {
    this.settings = settings;
    this.#lanes = Array.from(
      { length: settings.lanes },
      () => new Lane(settings, clock, faults, sendFailure),
    );
  }

  start(): void {
    for (const lane of this.#lanes) void lane.run();
    this.#endReading = this.settings.stream.read((record) => {
      if (this.#passes(record)) this.#laneOf(record)?.push(record);
    });
  }

  stop(): void {
    this.#endReading();
    for (const lane of this.#lanes) lane.stop();
  }

  /** A record that is filtered out costs no invocation, and is done. */
  #passes(record: StreamRecord): boolean {
    const { filters } = this.settings;
    return filters.length === 0 || filters.some((matches) => matches(record));
  }

  /** "Lambda still ensures in-order processing at the item (partition and sort key) level." (with-ddb) */
  #laneOf(record: StreamRecord): Lane | undefined {
    const hash = createHash('md5').update(JSON.stringify(record.dynamodb.Keys)).digest();
    return this.#lanes[hash.readUInt32BE() % this.#lanes.length];
  }
}
