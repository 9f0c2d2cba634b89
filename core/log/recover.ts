import {
  maxDownlinkFrameBytes,
  messageUnitBytes,
  type Position,
  type Recovery,
  Refusal,
} from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import { type ContentAs, frameFor } from '../content-form.ts';
import type { Lease } from '../limits/lease.ts';
import { recoverLeaseMs, recoverSendingMs } from '../timing.ts';
import type { LogPage } from './gaps.ts';
import type { LogId, LogReader, Logs } from './log.ts';

export interface RecoverOptions {
  readonly logs: Pick<Logs, 'open'>;
  readonly connections: Pick<ConnectionsClient, 'prepare' | 'post'>;
  readonly lease: Lease;
  readonly clock: Pick<Clock, 'now'>;
}

/** A session's request for one channel. */
export interface RecoverRequest {
  readonly log: LogId;
  /** The client's position. Empty `epoch`: the start. @default - only the log's own position is asked for */
  readonly from?: Position | undefined;
}

/** A connection that messages are sent to. */
export interface RecoveringSession {
  readonly connectionId: string;
  /** The form in which it takes content. @default - it has none of its own */
  readonly contentAs?: ContentAs | undefined;
}

/** Sends the missed messages of each channel to the connection. Resolves to the answers, in the order asked. */
export type Recover = (
  session: RecoveringSession,
  requests: readonly RecoverRequest[],
  options?: {
    /** Refuses if another such call sends to the connection now. @default false */
    readonly isExclusive?: boolean;
  },
) => Promise<Recovery[]>;

/** What one call may cost. The client asks again for the rest. */
const most = {
  /** API Gateway bills a message for each 32 KB that it holds. */
  billedMessages: 40,
  bytesRead: 1024 * 1024,
  /** One answer names about so many gaps, because it is one frame. */
  skipped: 1000,
};

/** When to ask again, if the connection takes nothing or another call sends to it. */
const retryMs = 1000;

/** The rest of the budget of a call. */
interface Budget {
  billedMessages: number;
  bytesRead: number;
  skipped: number;
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** The connection did not take a message. */
  isRefused: boolean;
}

export function createRecover({ logs, connections, lease, clock }: RecoverOptions): Recover {
  const maySend = ({ billedMessages, deadline, isRefused }: Budget) =>
    billedMessages > 0 && !isRefused && clock.now() < deadline;
  const mayRead = (budget: Budget) => budget.bytesRead > 0 && budget.skipped > 0 && maySend(budget);

  /** Resolves to the last offset that was sent, or passed, and to the first message that does not fit into a frame. */
  async function send(
    { connectionId, contentAs }: RecoveringSession,
    page: LogPage,
    budget: Budget,
    from: number,
  ): Promise<{ reached: number; tooLargeAt?: number | undefined }> {
    let reached = from;
    let tooLargeAt: number | undefined;
    const { deadline } = budget;
    // One after the other, because API Gateway promises no order between posts that overlap.
    for (const message of page.messages) {
      if (!maySend(budget)) return { reached, tooLargeAt };
      const payload = connections.prepare(frameFor(message, contentAs));
      if (payload.bytes.length > maxDownlinkFrameBytes) {
        // As JSON text it is larger than it was when it was published. The session cannot get it, ever.
        tooLargeAt ??= message.offset;
        reached = message.offset;
        continue;
      }
      // A client that does not read must not keep a function waiting, so a 429 ends the call.
      const { outcome } = await connections.post(connectionId, payload, {
        deadline,
        retriesThrottled: false,
      });
      budget.isRefused = outcome !== 'sent';
      if (budget.isRefused) return { reached, tooLargeAt };
      budget.billedMessages -= Math.ceil(payload.bytes.length / messageUnitBytes);
      reached = message.offset;
    }
    return { reached: page.offset, tooLargeAt };
  }

  async function recoverOne(
    session: RecoveringSession,
    log: LogReader,
    from: Position | undefined,
    budget: Budget,
  ): Promise<Recovery> {
    const { epoch, newest } = log;
    if (!from) return { epoch, offset: newest, recovered: true };
    const after = startOf(log, from);
    if (after === undefined) return { epoch, offset: newest, recovered: false };

    let offset = after;
    let recovered = true;
    const skipped: number[] = [];
    while (offset < newest && mayRead(budget)) {
      // As many rows as the budget has room for, if each is as large as it can be.
      const rows = Math.ceil(budget.bytesRead / maxDownlinkFrameBytes);
      const page = await log.page(offset, rows);
      budget.bytesRead -= page.bytesRead;
      const { reached, tooLargeAt } = await send(session, page, budget, offset);
      offset = reached;
      recovered &&= tooLargeAt === undefined && (page.lostAt === undefined || page.lostAt > offset);
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

  return async (session, requests, { isExclusive = false } = {}) => {
    const deadline = clock.now() + recoverSendingMs;
    const budget: Budget = { ...most, deadline, isRefused: false };
    const opened = await Promise.all(
      requests.map(async ({ log, from }) => ({ log: await logs.open(log), from })),
    );
    const isSending = opened.some(({ log, from }) => from && (startOf(log, from) ?? log.newest) < log.newest);
    const release =
      isSending && isExclusive ? await lease(`recover#${session.connectionId}`, recoverLeaseMs) : noRelease;
    if (!release) throw tryLater('Another recover sends to this connection now.');
    try {
      const answers: Recovery[] = [];
      for (const { log, from } of opened) answers.push(await recoverOne(session, log, from, budget));
      if (budget.isRefused && budget.billedMessages === most.billedMessages)
        throw tryLater('The connection takes no messages now.');
      return answers;
    } finally {
      await release();
    }
  };
}

/** The offset that the client has everything up to. `undefined`: the log is not the one that the client knows. */
function startOf({ epoch, newest }: LogReader, from: Position): number | undefined {
  if (from.epoch === '') return 0;
  // A position ahead of the log: the log was restored to an earlier time.
  return from.epoch === epoch && from.offset <= newest ? from.offset : undefined;
}

function tryLater(message: string): Refusal {
  return new Refusal('rate_limited', `${message} Ask again later.`, [], retryMs);
}

const noRelease = () => Promise.resolve();
