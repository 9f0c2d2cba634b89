import {
  type Identity,
  maxDownlinkFrameBytes,
  type Position,
  type Recovery,
  Refusal,
} from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import { type ContentAs, frameFor } from '../content-form.ts';
import type { Debt } from '../limits/debt.ts';
import type { Lease } from '../limits/lease.ts';
import { recoverLeaseMs, recoverSendingMs } from '../timing.ts';
import type { LogPage } from './gaps.ts';
import type { LogId, LogReader, Logs } from './log.ts';
import { type AckForm, createAckSink, createPostSink, maxPosted, type Sink } from './sinks.ts';

export interface RecoverOptions {
  readonly logs: Pick<Logs, 'open'>;
  readonly connections: Pick<ConnectionsClient, 'prepare' | 'post'>;
  readonly lease: Lease;
  /** Of the users, for the messages that are posted to them. */
  readonly debt: Debt;
  readonly clock: Pick<Clock, 'now'>;
}

/** A session's request for one channel. */
export interface RecoverRequest {
  readonly log: LogId;
  /** The client's position. Empty `epoch`: the start. @default - only the log's own position is asked for */
  readonly from?: Position | undefined;
}

/** The session that asks. */
export interface RecoveringSession {
  readonly identity: Identity;
  readonly connectionId: string;
  /** The form in which it takes content. @default - it has none of its own */
  readonly contentAs?: ContentAs | undefined;
}

/** Sends the missed messages of each channel to the connection. Resolves to the answers, in the order asked. */
export type Recover = (
  session: RecoveringSession,
  requests: readonly RecoverRequest[],
  options?: {
    /** The ack that carries the messages. @default - each message is posted to the connection */
    readonly ack?: AckForm | undefined;
    /** Refuses to post while another such call posts to the connection. @default false */
    readonly isExclusive?: boolean;
  },
) => Promise<Recovery[]>;

/** What one call may read. The client asks again for the rest. */
const most = {
  bytes: 1024 * 1024,
  /** One answer names about so many gaps, because it is one frame. */
  skipped: 1000,
};

/** When to ask again, if the connection takes nothing or another call sends to it. */
const retryMs = 1000;

/** A log as it is now, and the position that the client gave. */
interface Opened {
  readonly log: LogReader;
  readonly from: Position | undefined;
}

export function createRecover({ logs, connections, lease, debt, clock }: RecoverOptions): Recover {
  /** Reads the logs one after the other, until the sink is full or the call has read enough. */
  async function read(
    opened: readonly Opened[],
    contentAs: ContentAs | undefined,
    sink: Sink,
    deadline: number,
  ): Promise<Recovery[]> {
    const reading = { rows: 0, bytes: 0, bytesLeft: most.bytes };
    let skippedLeft = most.skipped;

    function rowsToRead(): number {
      if (reading.bytesLeft <= 0 || clock.now() >= deadline) return 0;
      return Math.min(skippedLeft, sink.rows(reading));
    }

    /** Resolves to the last offset that was taken, or passed, and to the first message that fits into no frame. */
    async function take(
      messages: LogPage['messages'],
      from: number,
      to: number,
    ): Promise<{ reached: number; tooLargeAt?: number | undefined }> {
      let reached = from;
      let tooLargeAt: number | undefined;
      for (const message of messages) {
        const text = frameFor(message, contentAs);
        // As JSON text it is larger than it was when it was published. The session cannot get it, ever.
        const isTooLarge = Buffer.byteLength(text) > maxDownlinkFrameBytes;
        if (isTooLarge) tooLargeAt ??= message.offset;
        else if (clock.now() >= deadline || !(await sink.take(text))) return { reached, tooLargeAt };
        reached = message.offset;
      }
      return { reached: to, tooLargeAt };
    }

    async function readOne({ log, from }: Opened): Promise<Recovery> {
      const { epoch, newest } = log;
      if (!from) return { epoch, offset: newest, recovered: true };
      const after = startOf(log, from);
      if (after === undefined) return { epoch, offset: newest, recovered: false };

      let offset = after;
      let recovered = true;
      const skipped: number[] = [];
      for (let rows = rowsToRead(); offset < newest && rows > 0; rows = rowsToRead()) {
        const page = await log.page(offset, rows);
        reading.rows += page.offset - offset;
        reading.bytes += page.bytesRead;
        reading.bytesLeft -= page.bytesRead;
        sink.skip(page.skipped.length);
        const { reached, tooLargeAt } = await take(page.messages, offset, page.offset);
        offset = reached;
        recovered &&= tooLargeAt === undefined && (page.lostAt === undefined || page.lostAt > offset);
        const passed = page.skipped.filter((gap) => gap <= offset);
        skipped.push(...passed);
        skippedLeft -= passed.length;
      }
      const messages = sink.collect();
      return {
        epoch,
        offset,
        recovered,
        ...(skipped.length > 0 && { skipped }),
        ...(offset < newest && { more: true }),
        ...(messages.length > 0 && { messages }),
      };
    }

    const answers: Recovery[] = [];
    for (const each of opened) answers.push(await readOne(each));
    if (sink.isRefused()) throw tryLater('The connection takes no messages now.');
    return answers;
  }

  /** Charges the user for the messages that `run` posts: the ones that are missed first, then the difference. */
  async function charged<Result>(
    identity: Identity,
    missed: number,
    run: () => Promise<Result>,
    posted: () => number,
  ): Promise<Result> {
    const expected = Math.min(missed, maxPosted);
    const waitMs = await debt.add(identity, expected);
    if (waitMs > 0) throw tryLater('Too many messages were recovered for this user.', waitMs);
    try {
      return await run();
    } finally {
      await debt.correct(identity, posted() - expected);
    }
  }

  return async ({ identity, connectionId, contentAs }, requests, { ack, isExclusive = false } = {}) => {
    const deadline = clock.now() + recoverSendingMs;
    const opened = await Promise.all(
      requests.map(async ({ log, from }) => ({ log: await logs.open(log), from })),
    );
    const posts = createPostSink(connections, connectionId, deadline);
    const epochs = opened.map(({ log }) => log.epoch);
    if (ack) return read(opened, contentAs, createAckSink(epochs, ack, posts), deadline);
    const missed = opened.reduce((sum, each) => sum + missedBy(each), 0);
    const run = () => read(opened, contentAs, posts, deadline);
    if (missed === 0) return run();
    const release = isExclusive ? await lease(`recover#${connectionId}`, recoverLeaseMs) : noRelease;
    if (!release) throw tryLater('Another recover sends to this connection now.');
    try {
      return await charged(identity, missed, run, posts.posted);
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

/** How many offsets of the log come after the position. */
function missedBy({ log, from }: Opened): number {
  const after = from && startOf(log, from);
  return after === undefined ? 0 : log.newest - after;
}

function tryLater(message: string, waitMs = retryMs): Refusal {
  return new Refusal('rate_limited', `${message} Ask again later.`, [], waitMs);
}

const noRelease = () => Promise.resolve();
