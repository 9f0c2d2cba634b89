import {
  type Delivered,
  type Identity,
  maxDownlinkFrameBytes,
  messageFrame,
  type PublishRequest,
  Refusal,
} from '../protocol/index.ts';
import { resolveAudience } from './audience.ts';
import type { Deliver } from './deliver.ts';
import { hashOf, type Publications } from './publications.ts';
import type { Recipient, Sessions } from './sessions.ts';

export interface PublishOptions {
  readonly sessions: Sessions;
  readonly publications: Publications;
  readonly deliver: Deliver;
  /** The largest audience that is sent to at once. */
  readonly inlineLimit: number;
  readonly newId: () => string;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** Publishes one message; `from` is the user who caused it, where one did. Throws a `Refusal` for what it can't do. */
export type Publish = (request: PublishRequest, from?: Identity) => Promise<Delivered>;

/** Sends one message to a connection that is known to be open, without a read; an index might not have it yet. */
export type Reply = (request: PublishRequest, to: Recipient) => Promise<Delivered>;

const pollIntervalMs = 100;

export function createReply({ deliver, newId }: Pick<PublishOptions, 'deliver' | 'newId'>): Reply {
  return async (request, to) => {
    const messageId = newId();
    const frame = frameOf(request, messageId, to.identity);
    return { messageId, status: 'delivered', ...(await deliver([to], frame)) };
  };
}

export function createPublish(options: PublishOptions): Publish {
  const { sessions, publications, deliver, inlineLimit, newId, wait } = options;

  async function send(request: PublishRequest, messageId: string, frame: string): Promise<Delivered> {
    const audience = await resolveAudience(sessions, request, inlineLimit);
    if (audience.size === 'large') {
      throw new Refusal(
        'not_implemented',
        `to: reaches more than ${String(inlineLimit)} sessions, the most that are served`,
      );
    }
    return { messageId, status: 'delivered', ...(await deliver(audience.recipients, frame)) };
  }

  async function sendOnce(request: PublishRequest, messageId: string, frame: string): Promise<Delivered> {
    const id = { tenant: request.tenant, messageId };
    const hash = hashOf(request);
    for (;;) {
      const claim = await publications.claim(id, hash);
      if (claim.state === 'answered') return claim.answer;
      if (claim.state === 'conflict') throw conflict(messageId);
      if (claim.state === 'claimed') break;
      await wait(pollIntervalMs);
    }
    const answer = await send(request, messageId, frame).catch(async (cause: unknown) => {
      await publications.release(id);
      throw cause;
    });
    await publications.finish(id, answer);
    return answer;
  }

  return async (request, from) => {
    const messageId = request.messageId ?? newId();
    const frame = frameOf(request, messageId, from);
    // Without a messageId or a report nobody can ask for the record: the answer is the record.
    const isRecorded = request.messageId !== undefined || request.report !== undefined;
    return isRecorded ? sendOnce(request, messageId, frame) : send(request, messageId, frame);
  };
}

function frameOf({ type, content }: PublishRequest, messageId: string, from: Identity | undefined): string {
  const frame = messageFrame({ type, content, messageId, ...(from && { from }) });
  const bytes = Buffer.byteLength(frame);
  if (bytes <= maxDownlinkFrameBytes) return frame;
  const message = `makes a frame of ${String(bytes)} bytes; the limit is ${String(maxDownlinkFrameBytes)}`;
  throw new Refusal('too_large', `content: ${message}`, [{ field: 'content', message }]);
}

function conflict(messageId: string): Refusal {
  const message = `${messageId} was published with another body`;
  return new Refusal('conflict', `messageId: ${message}`, [{ field: 'messageId', message }]);
}
