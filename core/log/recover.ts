import { type Position, type Recovery, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import { recoverSendingMs } from '../timing.ts';
import type { LogPage } from './gaps.ts';
import type { LogId, LogReader, Logs } from './log.ts';

export interface RecoverOptions {
  readonly logs: Pick<Logs, 'open'>;
  readonly connections: Pick<ConnectionsClient, 'prepare' | 'post'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** A session's request for one channel. */
export interface RecoverRequest {
  readonly log: LogId;
  /** The client's position. Empty `epoch`: the start. @default - only the log's own position is asked for */
  readonly from?: Position | undefined;
}

/** Sends the missed messages of each channel to the connection. Resolves to the answers, in the order asked. */
export type Recover = (connectionId: string, requests: readonly RecoverRequest[]) => Promise<Recovery[]>;

/** One call sends at most so many messages. The client asks again for the rest. */
const maxMessages = 200;
/** One answer names about so many gaps, because it is one frame. */
const maxSkipped = 1000;

/** The rest of the budget of a call. */
interface Budget {
  messages: number;
  skipped: number;
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** The connection did not take a message. */
  isRefused: boolean;
}

export function createRecover({ logs, connections, clock }: RecoverOptions): Recover {
  const hasRoom = ({ messages, skipped, deadline, isRefused }: Budget) =>
    messages > 0 && skipped > 0 && !isRefused && clock.now() < deadline;

  /** Resolves to the last offset that was sent, or passed. */
  async function send(connectionId: string, page: LogPage, budget: Budget, from: number): Promise<number> {
    let reached = from;
    // One after the other, because API Gateway promises no order between posts that overlap.
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
    log: LogReader,
    from: Position | undefined,
    budget: Budget,
  ): Promise<Recovery> {
    const { epoch, newest } = log;
    if (!from) return { epoch, offset: newest, recovered: true };
    const after = from.epoch === '' ? 0 : from.offset;
    const isSameEpoch = from.epoch === '' || from.epoch === epoch;
    // A position ahead of the log: the log was restored to an earlier time.
    if (!isSameEpoch || after > newest) return { epoch, offset: newest, recovered: false };

    let offset = after;
    let recovered = true;
    const skipped: number[] = [];
    while (offset < newest && hasRoom(budget)) {
      const page = await log.page(offset, maxMessages);
      offset = await send(connectionId, page, budget, offset);
      recovered &&= page.lostAt === undefined || page.lostAt > offset;
      const passed = page.skipped.filter((gap) => gap <= offset);
      skipped.push(...passed);
      budget.skipped -= passed.length;
    }
    return {
      epoch,
      offset,
      recovered,
      ...(skipped.length > 0 && { skipped }),
      ...(offset < newest && { more: true }),
    };
  }

  return async (connectionId, requests) => {
    const deadline = clock.now() + recoverSendingMs;
    const budget: Budget = { messages: maxMessages, skipped: maxSkipped, deadline, isRefused: false };
    const opened = await Promise.all(
      requests.map(async ({ log, from }) => ({ log: await logs.open(log), from })),
    );
    const answers: Recovery[] = [];
    for (const { log, from } of opened) answers.push(await recoverOne(connectionId, log, from, budget));
    if (budget.isRefused && budget.messages === maxMessages)
      throw new Refusal('rate_limited', 'The connection takes no messages now; ask again.');
    return answers;
  };
}
