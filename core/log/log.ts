import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { type Append, createAppend } from './append.ts';
import { headSortKey, type HeadRow, keyOf, type LogId } from './items.ts';
import { createLogReader, type LogReader, type LogReaderOptions } from './reader.ts';

export type { Entry, SlotMemory } from './append.ts';
export type { LogId, Slot } from './items.ts';
export type { LogReader } from './reader.ts';

/** The durable logs of channels, in the state table. */
export interface Logs {
  /**
   * Stores the message, and resolves to its slot. With a memory, a retry stores it once. A message whose slot a reader
   * has sealed gets another one.
   */
  readonly append: Append;
  readonly open: (log: LogId) => Promise<LogReader>;
}

export interface LogsOptions extends LogReaderOptions {
  readonly clock: Clock;
}

export function createLogs(options: LogsOptions): Logs {
  const { db, table } = options;

  async function readHead(log: LogId): Promise<HeadRow | undefined> {
    const get = new GetCommand({ TableName: table, Key: keyOf(log, headSortKey), ConsistentRead: true });
    return (await db.send(get)).Item as HeadRow | undefined;
  }

  return {
    append: createAppend({ ...options, readHead }),
    open: async (log) => createLogReader(log, await readHead(log), options),
  };
}
