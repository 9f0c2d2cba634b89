import { createHash } from 'node:crypto';
import type { Change, Identity } from './changes.ts';
import { isSameItem } from './same-item.ts';
import { itemBytes } from './size.ts';
import type { StreamSettings, StreamView } from './tables.ts';
import type { JsonRecord } from '../json.ts';
import { stableId } from '../template/stable-id.ts';

/**
 * A record in the form in which Lambda passes it on.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
 */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventVersion: '1.1';
  readonly eventSource: 'aws:dynamodb';
  readonly awsRegion: string;
  readonly dynamodb: {
    /** Epoch seconds. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: JsonRecord;
    readonly NewImage?: JsonRecord;
    readonly OldImage?: JsonRecord;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamView;
  };
  readonly eventSourceARN: string;
  readonly userIdentity?: { readonly type: 'Service'; readonly principalId: 'dynamodb.amazonaws.com' };
}

/** The stream of a table. It has one shard and keeps nothing: a reader gets the records from its first call on. */
export class TableStream {
  readonly arn: string;
  readonly shardId: string;
  readonly #view: StreamView;
  readonly #now: () => number;
  readonly #readers = new Set<(record: StreamRecord) => void>();
  /** Numbers of a later run are higher, because they start with the time. */
  #lastNumber: bigint;

  constructor({ arn, view }: StreamSettings, now: () => number) {
    this.arn = arn;
    this.shardId = `shardId-00000001577836800000-${stableId(arn, 8)}`;
    this.#view = view;
    this.#now = now;
    this.#lastNumber = BigInt(now()) * 1_000_000_000n;
  }

  /** The returned function ends the reading. */
  read(onRecord: (record: StreamRecord) => void): () => void {
    this.#readers.add(onRecord);
    return () => void this.#readers.delete(onRecord);
  }

  /**
   * Records a change. A write that leaves its item as it was has no record:
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
   */
  append(change: Change, identity: Identity): void {
    const { table, before, after } = change;
    const item = after ?? before;
    if (item === undefined || isSameItem(before, after)) return;
    const keys = Object.fromEntries(table.keys.map((name) => [name, item[name]]));
    const record = this.#record(keys, change, identity);
    for (const onRecord of this.#readers) onRecord(record);
  }

  #record(Keys: JsonRecord, { before, after }: Change, identity: Identity): StreamRecord {
    const images = {
      ...(after !== undefined && this.#view.startsWith('NEW') ? { NewImage: after } : {}),
      ...(before !== undefined && this.#view.includes('OLD') ? { OldImage: before } : {}),
    };
    const SequenceNumber = String(++this.#lastNumber);
    return {
      eventID: createHash('md5').update(`${this.arn} ${SequenceNumber}`).digest('hex'),
      eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.arn.split(':')[3] ?? '',
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.#now() / 1000),
        Keys,
        ...images,
        SequenceNumber,
        SizeBytes: [Keys, ...Object.values(images)].reduce((sum, part) => sum + itemBytes(part), 0),
        StreamViewType: this.#view,
      },
      eventSourceARN: this.arn,
      ...(identity === 'ttl'
        ? { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }
        : {}),
    };
  }
}
