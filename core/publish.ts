import {
  type Delivered,
  formatTarget,
  type Identity,
  maxDownlinkFrameBytes,
  messageFrame,
  type PublishAnswer,
  type PublishRequest,
  Refusal,
} from '../protocol/index.ts';
import { resolveAudience } from './audience.ts';
import type { Deliver } from './deliver.ts';
import type { FanOutQueue } from './fan-out-queue.ts';
import type { Poster } from './poster.ts';
import { hashOf, type Publications } from './publications.ts';
import type { RecipientReports } from './recipient-report.ts';
import type { Recipients } from './recipients.ts';
import type { Recipient } from './session-rows.ts';

export interface PublishOptions {
  readonly recipients: Recipients;
  readonly publications: Publications;
  readonly reports: RecipientReports;
  readonly queue: Pick<FanOutQueue, 'send'>;
  readonly poster: Pick<Poster, 'prepare'>;
  readonly deliver: Deliver;
  /** The largest audience that is sent to at once. */
  readonly inlineLimit: number;
  readonly newId: () => string;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** Publishes one message; `from` is the user who caused it, where one did. Throws a `Refusal` for what it can't do. */
export type Publish = (request: PublishRequest, from?: Identity) => Promise<PublishAnswer>;

/** Sends one message to a connection that is known to be open, without a read; an index might not have it yet. */
export type Reply = (request: PublishRequest, to: Recipient) => Promise<Delivered>;

/** A message as it is on its way out. */
interface Message {
  readonly request: PublishRequest;
  readonly messageId: string;
  readonly frame: string;
}

const pollIntervalMs = 100;

// The publish function has 29 s, as the API in front of it. What is not sent by then counts as failed.
const sendingTimeMs = 20_000;

type ReplyOptions = Pick<PublishOptions, 'poster' | 'deliver' | 'newId' | 'now'>;

export function createReply({ poster, deliver, newId, now }: ReplyOptions): Reply {
  return async (request, to) => {
    const messageId = newId();
    const payload = poster.prepare(frameOf(request, messageId, to.identity));
    return deliveredOf(messageId, await deliver([to], payload, now() + sendingTimeMs));
  };
}

export function createPublish(options: PublishOptions): Publish {
  const { recipients, publications, reports, queue, poster, deliver, inlineLimit, newId, now, wait } =
    options;

  /** Sends to a small audience at once, and hands a large one to the fan-out. */
  async function send({ request, messageId, frame }: Message, isRecorded: boolean): Promise<PublishAnswer> {
    const { tenant, to, exclude, report } = request;
    const audience = await resolveAudience(recipients, request, inlineLimit);
    if (audience.size === 'inline') {
      const delivery = await deliver(audience.recipients, poster.prepare(frame), now() + sendingTimeMs);
      if (report === 'recipients') await reports.add({ tenant, messageId }, audience.recipients, delivery);
      return deliveredOf(messageId, delivery);
    }
    // What becomes of it shows only in its record.
    if (!isRecorded) return record({ request, messageId, frame });
    const job = { tenant, messageId, to, exclude, frame, reportsRecipients: report === 'recipients' };
    const { shards } = recipients;
    await queue.send(Array.from({ length: shards }, (_, shard) => ({ ...job, shard })));
    return { messageId, status: 'accepted', shards };
  }

  /** Publishes under a record that lets the `messageId` be published once. */
  async function record(message: Message): Promise<PublishAnswer> {
    const { request, messageId } = message;
    const id = { tenant: request.tenant, messageId };
    const hash = hashOf(request);
    for (;;) {
      const claim = await publications.claim(id, hash);
      if (claim.state === 'answered') return claim.answer;
      if (claim.state === 'conflict') throw conflict(messageId);
      if (claim.state === 'claimed') break;
      await wait(pollIntervalMs);
    }
    const answer = await send(message, true).catch(async (cause: unknown) => {
      await publications.release(id);
      throw cause;
    });
    await publications.finish(id, answer);
    return answer;
  }

  return async (request, from) => {
    const messageId = request.messageId ?? newId();
    const message = { request, messageId, frame: frameOf(request, messageId, from) };
    // Without a messageId or a report nobody can ask for the record: the answer is the record.
    const isRecorded = request.messageId !== undefined || request.report !== undefined;
    return isRecorded ? record(message) : send(message, false);
  };
}

function deliveredOf(
  messageId: string,
  { delivered, gone, failed }: Pick<Delivered, 'delivered' | 'gone' | 'failed'>,
): Delivered {
  return { messageId, status: 'delivered', delivered, gone, failed };
}

function frameOf(request: PublishRequest, messageId: string, from: Identity | undefined): string {
  const { type, content, to } = request;
  const [target, ...others] = to;
  // All receivers get the same frame, so it can only name what all of them got it by.
  const channel = target?.kind === 'topic' && others.length === 0 ? { channel: formatTarget(target) } : {};
  const frame = messageFrame({ type, content, messageId, ...channel, ...(from && { from }) });
  const bytes = Buffer.byteLength(frame);
  if (bytes <= maxDownlinkFrameBytes) return frame;
  const message = `makes a frame of ${String(bytes)} bytes; the limit is ${String(maxDownlinkFrameBytes)}`;
  throw new Refusal('too_large', `content: ${message}`, [{ field: 'content', message }]);
}

function conflict(messageId: string): Refusal {
  const message = `${messageId} was published with another body`;
  return new Refusal('conflict', `messageId: ${message}`, [{ field: 'messageId', message }]);
}
