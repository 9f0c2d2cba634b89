import { type Position, type Recovery, Refusal } from '../../protocol/index.ts';
import type { HeadRow, LogId } from './items.ts';
import type { ChannelLog } from './append.ts';
import type { LogPage } from './gaps.ts';
import type { ChannelReading } from './read.ts';
import type { ConnectionsClient } from '../connections/client.ts';

export interface RecoverOptions {
  readonly channelLog: Pick<ChannelLog, 'head'>;
  readonly channelReading: ChannelReading;
  readonly connections: Pick<ConnectionsClient, 'prepare' | 'post'>;
  readonly now: () => number;
}

/** What a session asks about one channel. */
export interface Asked {
  readonly log: LogId;
  /** Where the client stands. Empty `epoch`: at the start. @default - it asks only where the log stands */
  readonly from?: Position | undefined;
}

/** Sends what was missed on each channel to the connection, and resolves to what to tell of each, in the order asked. */
export type Recover = (connectionId: string, asked: readonly Asked[]) => Promise<Recovery[]>;

/** What one call sends at most; the client asks again for what is left. */
const maxMessages = 200;
/** And about how many holes one answer names; it is one frame. */
const maxHoles = 1000;
// API Gateway waits 29 s for an answer, and a client that is slow to read is slow to post to.
const sendingTimeMs = 10_000;

/** What is left of a call. */
interface Budget {
  messages: number;
  holes: number;
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** The connection did not take a message. */
  isRefused: boolean;
}

export function createRecover({ channelLog, channelReading, connections, now }: RecoverOptions): Recover {
  const hasRoom = ({ messages, holes, deadline, isRefused }: Budget) =>
    messages > 0 && holes > 0 && !isRefused && now() < deadline;

  /** Resolves to how far the page is sent. */
  async function send(connectionId: string, page: LogPage, budget: Budget, from: number): Promise<number> {
    let reached = from;
    // One after the other: API Gateway promises no order, but need not be tempted.
    for (const { offset, frame } of page.messages) {
      if (!hasRoom(budget)) return reached;
      const { outcome } = await connections.post(connectionId, connections.prepare(frame));
      budget.isRefused = outcome !== 'sent';
      if (budget.isRefused) return reached;
      budget.messages -= 1;
      reached = offset;
    }
    return page.offset;
  }

  async function recoverOne(
    connectionId: string,
    { log, from }: Asked,
    head: HeadRow | undefined,
    budget: Budget,
  ): Promise<Recovery> {
    if (!head) {
      // Whatever the client has seen there is of a log that is gone.
      return { epoch: '', offset: 0, recovered: from === undefined || from.epoch === '' };
    }
    const { epoch, offset: newest } = head;
    if (!from) return { epoch, offset: newest, recovered: true };
    const after = from.epoch === '' ? 0 : from.offset;
    const isSameLife = from.epoch === '' || from.epoch === epoch;
    // Ahead of the log: it was restored to an earlier time.
    if (!isSameLife || after > newest) return { epoch, offset: newest, recovered: false };

    let offset = after;
    let recovered = true;
    const skipped: number[] = [];
    while (offset < newest && hasRoom(budget)) {
      const page = await channelReading.page(log, head, offset, maxMessages);
      offset = await send(connectionId, page, budget, offset);
      recovered &&= page.lostAt === undefined || page.lostAt > offset;
      const passed = page.skipped.filter((hole) => hole <= offset);
      skipped.push(...passed);
      budget.holes -= passed.length;
    }
    return {
      epoch,
      offset,
      recovered,
      ...(skipped.length > 0 && { skipped }),
      ...(offset < newest && { more: true }),
    };
  }

  return async (connectionId, asked) => {
    const budget = {
      messages: maxMessages,
      holes: maxHoles,
      deadline: now() + sendingTimeMs,
      isRefused: false,
    };
    const answers: Recovery[] = [];
    const heads = await Promise.all(asked.map(({ log }) => channelLog.head(log)));
    for (const [index, each] of asked.entries())
      answers.push(await recoverOne(connectionId, each, heads[index], budget));
    if (budget.isRefused && budget.messages === maxMessages)
      throw new Refusal('rate_limited', 'The connection takes no messages now; ask again.');
    return answers;
  };
}
