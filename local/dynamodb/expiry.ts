import type { Clock } from '../clock.ts';
import { type Database, performWrite } from './changes.ts';
import type { Item } from './capacity.ts';
import type { Table } from './tables.ts';
import { asList, asRecord, asText, type JsonRecord } from '../json.ts';

/**
 * How often expired items are deleted, in time of the cloud. AWS deletes them "within a few days":
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
const sweepEveryMs = 60_000;

/** DynamoDB never deletes an item that expired longer ago: it may be a mistake, or in another unit than seconds. */
const oldestSeconds = 5 * 365 * 24 * 3600;

interface Expiring {
  readonly table: Table;
  readonly key: JsonRecord;
  readonly value: JsonRecord;
  readonly second: number;
}

/**
 * Deletes items after their time to live. Sweeps follow the clock of the cloud, which may run fast. Whether an item has
 * expired is decided by the time of the machine, which functions see: they never miss an item that is still valid.
 * The deletions are free, so the meter does not count them.
 */
export class Expiry {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #now: () => number;
  /** The items that will expire, by table and key. Writes that race may leave an older time to live than the item has. */
  readonly #items = new Map<string, Expiring>();
  #cancel: () => void = () => undefined;
  #sweep: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(database: Database, clock: Clock, now: () => number) {
    this.#database = database;
    this.#clock = clock;
    this.#now = now;
  }

  /** Notes the items that an earlier run has left, and starts the sweeps. */
  async start(): Promise<void> {
    for (const table of this.#database.tables.values()) await this.#noteStored(table);
    this.#schedule();
  }

  /** Must get each item after each write. Only a number in epoch seconds is a time to live. */
  note(table: Table, item: Item): void {
    if (table.ttlAttribute === undefined || item === undefined) return;
    const value = asRecord(item[table.ttlAttribute]);
    const second = Math.floor(Number(asText(value.N)));
    if (!Number.isFinite(second) || second <= this.#nowSeconds() - oldestSeconds) return;
    const key = Object.fromEntries(table.keys.map((name) => [name, item[name]]));
    this.#items.set(JSON.stringify([table.name, key]), { table, key, value, second });
  }

  /** Waits for a sweep that is at work. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#sweep;
  }

  #schedule(): void {
    if (this.#closed) return;
    // A clock that runs very fast must not keep the processor busy.
    this.#cancel = this.#clock.after(Math.max(sweepEveryMs, 1000 * this.#clock.speed), () => {
      this.#sweep = this.#deleteExpired().finally(() => {
        this.#schedule();
      });
    });
  }

  async #deleteExpired(): Promise<void> {
    const now = this.#nowSeconds();
    for (const [id, item] of this.#items) {
      if (item.second >= now) continue;
      if (this.#isClosed()) return;
      this.#items.delete(id);
      await this.#delete(item);
    }
  }

  /** An item whose time to live has changed stays, and is noted with the new one. */
  async #delete({ table, key, value }: Expiring): Promise<void> {
    const input = {
      TableName: table.name,
      Key: key,
      ConditionExpression: '#ttl = :value',
      ExpressionAttributeNames: { '#ttl': table.ttlAttribute },
      ExpressionAttributeValues: { ':value': value },
    };
    const { changes } = await performWrite(this.#database, 'DeleteItem', input, 'ttl');
    for (const { after } of changes) this.note(table, after);
  }

  async #noteStored(table: Table): Promise<void> {
    if (table.ttlAttribute === undefined) return;
    let from: unknown;
    do {
      const start = from === undefined ? {} : { ExclusiveStartKey: from };
      const { body } = await this.#database.engine.call('Scan', { TableName: table.name, ...start });
      for (const item of asList(body.Items)) this.note(table, asRecord(item));
      from = body.LastEvaluatedKey;
    } while (from !== undefined);
  }

  #nowSeconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}
