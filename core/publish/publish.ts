import type {
  DeliveryAnswer,
  Identity,
  Position,
  PublishAnswer,
  PublishRequest,
} from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import { resolveAudience } from '../delivery/audience.ts';
import type { Deliver } from '../delivery/deliver.ts';
import { payloadsOf } from '../delivery/payloads.ts';
import type { FanOutQueue } from '../fan-out/queue.ts';
import type { Logs, Slot, SlotMemory } from '../log/log.ts';
import type { PublicationId } from '../publications/items.ts';
import type { Claimed, Publications } from '../publications/publications.ts';
import type { RecipientReports } from '../publications/report.ts';
import type { Recipient } from '../sessions/items.ts';
import type { Recipients } from '../sessions/recipients.ts';
import type { Seen } from '../sessions/seen.ts';
import { publishSendingMs } from '../timing.ts';
import { claimNewPublication, claimPublication } from './claim.ts';
import { durabilityOf } from './durability.ts';
import {
  deliveredOf,
  type Draft,
  frameOf,
  type Message,
  messageOf,
  offsetOf,
  refuseTooLarge,
} from './message.ts';

export interface PublishOptions {
  readonly recipients: Recipients;
  readonly publications: Publications;
  readonly reports: Pick<RecipientReports, 'add'>;
  readonly queue: Pick<FanOutQueue, 'send'>;
  readonly connections: Pick<ConnectionsClient, 'prepare'>;
  readonly deliver: Deliver;
  /** The largest audience that a publish sends to itself. A larger one goes to the fan-out. */
  readonly inlineLimit: number;
  readonly logs: Pick<Logs, 'append'>;
  readonly seen: Pick<Seen, 'hint'>;
  /** A topic that matches one of these patterns is durable, unless the publish says otherwise. */
  readonly durableTopics: readonly string[];
  readonly clock: Pick<Clock, 'now' | 'wait' | 'newId'>;
}

/**
 * Publishes one message. `from` is the user who caused it, if one did. `form` is `text` if its content is JSON text because
 * that user writes so. Throws a `Refusal` if it cannot.
 */
export type Publish = (
  request: PublishRequest,
  from?: Identity,
  form?: Draft['form'],
) => Promise<PublishAnswer>;

export function createPublish(options: PublishOptions): Publish {
  const { recipients, publications, reports, queue, connections, deliver, logs, seen, clock } = options;

  /** Puts a durable message into its log. */
  async function store(draft: Draft, memory: SlotMemory | undefined): Promise<Message> {
    const { request, messageId, durability, form } = draft;
    if (!durability) return messageOf(draft);
    const { channel, ttlSeconds } = durability;
    const entry = { messageId, ttlSeconds, form, frameAt: (position: Position) => frameOf(draft, position) };
    return messageOf(draft, await logs.append({ tenant: request.tenant, channel }, entry, memory));
  }

  async function send(message: Message, audience: readonly Recipient[]): Promise<DeliveryAnswer> {
    const { request, messageId } = message;
    const deadline = clock.now() + publishSendingMs;
    const delivery = await deliver(audience, payloadsOf(connections, message), deadline);
    if (request.report === 'recipients')
      await reports.add({ tenant: request.tenant, messageId }, audience, delivery.outcomes);
    const hint = audience.length === 0 ? await seen.hint(request.tenant, request.to) : undefined;
    return { ...deliveredOf(message, delivery), ...(hint !== undefined && { hint }) };
  }

  /** Hands the message to the fan-out: one job per shard. */
  async function enqueue(message: Message): Promise<DeliveryAnswer> {
    const { request, messageId, frame, form } = message;
    const { tenant, to, exclude, report } = request;
    const { shards } = recipients;
    const job = { tenant, messageId, to, exclude, frame, form, reportsRecipients: report === 'recipients' };
    await queue.send(Array.from({ length: shards }, (_, shard) => ({ ...job, shard })));
    return { messageId, status: 'accepted', shards, ...offsetOf(message) };
  }

  /** Releases the `messageId` after a failure, so that a retry need not wait. */
  async function release(id: PublicationId, { claimId }: Claimed, cause: unknown): Promise<void> {
    await publications.release(id, claimId).catch((second: unknown) => {
      throw new AggregateError([cause, second], 'A publish failed, and so did the release of its messageId.');
    });
  }

  return async (request, from, form) => {
    const messageId = request.messageId ?? clock.newId();
    const id = { tenant: request.tenant, messageId };
    const durability = durabilityOf(request, options.durableTopics);
    const draft = { request, messageId, from, form, durability };
    refuseTooLarge(draft);

    // Without a messageId or a report, no caller can ask for the record. The answer is the record.
    const isRecorded = request.messageId !== undefined || request.report !== undefined;
    let claim: Claimed | undefined;
    if (isRecorded) {
      const outcome = await claimPublication(publications, id, request, clock);
      if (outcome.state === 'answered') return outcome.answer;
      claim = outcome;
    }

    try {
      const remember = (slot: Slot) => publications.remember(id, slot);
      const message = await store(draft, claim && { slot: claim.slot, remember });
      // The audience is read after the message is stored: a session that subscribes in between finds it in the log.
      const audience = await resolveAudience(recipients, request, options.inlineLimit);
      // The outcome of a fan-out is only in its record.
      if (audience.size === 'large') claim ??= await claimNewPublication(publications, id, request);
      const answer =
        audience.size === 'large' ? await enqueue(message) : await send(message, audience.recipients);
      if (claim) await publications.finish(id, answer);
      return answer;
    } catch (cause) {
      if (claim) await release(id, claim, cause);
      throw cause;
    }
  };
}
