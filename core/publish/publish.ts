import {
  type Delivered,
  formatTarget,
  type Identity,
  maxDownlinkFrameBytes,
  maxDurableFrameBytes,
  messageFrame,
  type Position,
  type PublishAnswer,
  type PublishRequest,
  Refusal,
} from '../../protocol/index.ts';
import { resolveAudience } from '../delivery/audience.ts';
import type { ChannelLog, SlotMemory } from '../log/append.ts';
import type { Slot } from '../log/items.ts';
import type { Deliver } from '../delivery/deliver.ts';
import { type Durability, durabilityOf } from './durability.ts';
import type { FanOutQueue } from '../fan-out/queue.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { PublicationId } from '../publications/items.ts';
import { type Claimed, hashOf, type Publications } from '../publications/publications.ts';
import type { RecipientReports } from '../publications/report.ts';
import type { Recipients } from '../sessions/recipients.ts';
import type { Recipient } from '../sessions/items.ts';

export interface PublishOptions {
  readonly recipients: Recipients;
  readonly publications: Publications;
  readonly reports: RecipientReports;
  readonly queue: Pick<FanOutQueue, 'send'>;
  readonly connections: Pick<ConnectionsClient, 'prepare'>;
  readonly deliver: Deliver;
  /** The largest audience that is sent to at once. */
  readonly inlineLimit: number;
  readonly channelLog: Pick<ChannelLog, 'append'>;
  /** Patterns of the topics whose messages are kept without a publish's saying so. */
  readonly durableTopics: readonly string[];
  readonly newId: () => string;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** Publishes one message; `from` is the user who caused it, where one did. Throws a `Refusal` for what it can't do. */
export type Publish = (request: PublishRequest, from?: Identity) => Promise<PublishAnswer>;

/** Sends one message to a connection that is known to be open, without a read; an index might not have it yet. */
export type Reply = (request: PublishRequest, to: Recipient) => Promise<Delivered>;

/** A message that is about to go out. */
interface Draft {
  readonly request: PublishRequest;
  readonly messageId: string;
  readonly from: Identity | undefined;
  /** Where it is kept; nowhere, where it is not durable. */
  readonly durability: Durability | undefined;
}

/** A message as receivers get it; with its slot, where it is in a log. */
interface Message extends Draft {
  readonly frame: string;
  readonly slot?: Slot;
}

/** How long a publish waits for the same one that is under way elsewhere, or has died there. */
const pausesMs = [100, 200, 400, 800, 1600, 1600];

// The publish function has 29 s, as the API in front of it. What is not sent by then counts as failed.
const sendingTimeMs = 20_000;

type ReplyOptions = Pick<PublishOptions, 'connections' | 'deliver' | 'newId' | 'now'>;

export function createReply({ connections, deliver, newId, now }: ReplyOptions): Reply {
  return async (request, to) => {
    const draft = { request, messageId: newId(), from: to.identity, durability: undefined };
    refuseTooLarge(draft);
    const delivery = await deliver([to], connections.prepare(frameOf(draft)), now() + sendingTimeMs);
    return deliveredOf(draft, delivery);
  };
}

export function createPublish(options: PublishOptions): Publish {
  const { recipients, publications, reports, queue, connections, deliver } = options;
  const { channelLog, durableTopics, inlineLimit, newId, now, wait } = options;

  /** Stores the message where it is durable: before anybody gets it, so that whoever missed it finds it there. */
  async function store(draft: Draft, memory?: SlotMemory): Promise<Message> {
    const { request, messageId, durability } = draft;
    if (!durability) return { ...draft, frame: frameOf(draft) };
    const { channel, ttlSeconds } = durability;
    const entry = { messageId, ttlSeconds, frameAt: (position: Position) => frameOf(draft, position) };
    const slot = await channelLog.append({ tenant: request.tenant, channel }, entry, memory);
    return { ...draft, frame: frameOf(draft, slot), slot };
  }

  /** Sends to a small audience at once, and hands a large one to the fan-out. */
  async function send(message: Message, isRecorded: boolean): Promise<PublishAnswer> {
    const { request, messageId, frame } = message;
    const { tenant, to, exclude, report } = request;
    const audience = await resolveAudience(recipients, request, inlineLimit);
    if (audience.size === 'inline') {
      const delivery = await deliver(audience.recipients, connections.prepare(frame), now() + sendingTimeMs);
      if (report === 'recipients') await reports.add({ tenant, messageId }, audience.recipients, delivery);
      return deliveredOf(message, delivery);
    }
    // What becomes of it shows only in its record.
    if (!isRecorded) return record(message);
    const job = { tenant, messageId, to, exclude, frame, reportsRecipients: report === 'recipients' };
    const { shards } = recipients;
    await queue.send(Array.from({ length: shards }, (_, shard) => ({ ...job, shard })));
    return { messageId, status: 'accepted', shards, ...offsetOf(message) };
  }

  /** Publishes under a record that lets the `messageId` be published once. */
  async function record(draft: Draft | Message): Promise<PublishAnswer> {
    const { request, messageId } = draft;
    const id = { tenant: request.tenant, messageId };
    const hash = hashOf(request);
    for (const pauseMs of [...pausesMs, undefined]) {
      const claim = await publications.claim(id, hash);
      if (claim.state === 'answered') return claim.answer;
      if (claim.state === 'conflict') throw conflict(messageId);
      if (claim.state === 'claimed') return publishClaimed(draft, id, claim);
      if (pauseMs !== undefined) await wait(pauseMs);
    }
    const message = `${messageId} is still being published; ask again`;
    throw new Refusal('rate_limited', `messageId: ${message}`, [{ field: 'messageId', message }]);
  }

  async function publishClaimed(draft: Draft | Message, id: PublicationId, { claimId, slot }: Claimed) {
    const remember = (taken: Slot) => publications.remember(id, taken);
    try {
      const message = 'frame' in draft ? draft : await store(draft, { slot, remember });
      const answer = await send(message, true);
      await publications.finish(id, answer);
      return answer;
    } catch (cause) {
      await publications.release(id, claimId).catch((second: unknown) => {
        throw new AggregateError([cause, second], 'A publish failed, and so did giving back its messageId.');
      });
      throw cause;
    }
  }

  return async (request, from) => {
    const messageId = request.messageId ?? newId();
    const draft = { request, messageId, from, durability: durabilityOf(request, durableTopics) };
    refuseTooLarge(draft);
    // Without a messageId or a report nobody can ask for the record: the answer is the record.
    const isRecorded = request.messageId !== undefined || request.report !== undefined;
    return isRecorded ? record(draft) : send(await store(draft), false);
  };
}

function deliveredOf(
  message: Pick<Message, 'messageId' | 'slot'>,
  { delivered, gone, failed }: Pick<Delivered, 'delivered' | 'gone' | 'failed'>,
): Delivered {
  return {
    messageId: message.messageId,
    status: 'delivered',
    delivered,
    gone,
    failed,
    ...offsetOf(message),
  };
}

function offsetOf({ slot }: Pick<Message, 'slot'>): { offset?: number } {
  return slot ? { offset: slot.offset } : {};
}

function frameOf({ request, messageId, from, durability }: Draft, position?: Position): string {
  const { type, content, to } = request;
  const [target, ...others] = to;
  // All receivers get the same frame, so it can only name what all of them got it by.
  const topic = target?.kind === 'topic' && others.length === 0 ? formatTarget(target) : undefined;
  return messageFrame({
    type,
    content,
    messageId,
    channel: durability?.channel ?? topic,
    offset: position?.offset,
    epoch: position?.epoch,
    from,
  });
}

/** Before anything is stored. What stands for the position is as long as any will be. */
function refuseTooLarge(draft: Draft): void {
  const position = draft.durability && { epoch: draft.messageId, offset: 999_999_999_999 };
  const bytes = Buffer.byteLength(frameOf(draft, position));
  const limit = draft.durability ? maxDurableFrameBytes : maxDownlinkFrameBytes;
  if (bytes <= limit) return;
  const kind = draft.durability ? 'durable frame' : 'frame';
  const message = `makes a ${kind} of ${String(bytes)} bytes; the limit is ${String(limit)}`;
  throw new Refusal('too_large', `content: ${message}`, [{ field: 'content', message }]);
}

function conflict(messageId: string): Refusal {
  const message = `${messageId} was published with another body`;
  return new Refusal('conflict', `messageId: ${message}`, [{ field: 'messageId', message }]);
}
