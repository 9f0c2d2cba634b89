import type { Logger } from '@aws-lambda-powertools/logger';
import type { OutgoingMessage } from '../../publisher/publisher.ts';
import { errorTable, maxPublishBodyBytes, readPublishRequest, Refusal } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { uuidOf } from '../uuid.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { BusEvent, ChangeMapping, TableChange } from './define-change.ts';
import type { Delivery } from './read-change.ts';

/** The pauses before a mapping that threw is called again. Then its change is a dead letter (docs/data-changes.md). */
export const mappingPausesMs = [1_000, 4_000];

/**
 * The pauses before a publish that failed is tried again. Then Lambda delivers the change again. A publisher that was
 * killed keeps its `messageId` for 35 s, so the last try comes after that.
 */
export const publishPausesMs = [1_000, 4_000, 30_000];

/** How many messages one change may make. */
export const maxMessagesPerChange = 100;

export interface PublishChangesOptions {
  /** Tells the message ids of one construct from those of others that read the same changes. */
  readonly scope: string;
  readonly mapping: ChangeMapping<TableChange | BusEvent>;
  /** Throws a `Refusal` for a message that must not be tried again as it is. */
  readonly publish: (message: OutgoingMessage) => Promise<unknown>;
  readonly deadLetters: DeadLetters;
  readonly logger: Pick<Logger, 'error'>;
  readonly clock: Pick<Clock, 'wait'>;
}

/** Publishes what a mapping makes of changes. Resolves to the deliveries that must come again. */
export type PublishChanges = (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>;

export function createPublishChanges(options: PublishChangesOptions): PublishChanges {
  const { scope, mapping, publish, deadLetters, logger, clock } = options;

  /** Resolves to whether the change is done: it is published, or a dead letter. */
  async function take({ itemIdentifier, read }: Delivery): Promise<boolean> {
    let change: TableChange | BusEvent | undefined;
    let messages: readonly OutgoingMessage[];
    try {
      const event = (change = read());
      const given = await persist(async () => mapping(event), mappingPausesMs);
      messages = readMessages(given, `${scope} ${event.id}`);
    } catch (cause) {
      logger.error('change not mapped', { itemIdentifier, cause });
      await deadLetters.add({ itemIdentifier, cause, change });
      return true;
    }
    try {
      for (const message of messages) await persist(() => publish(message), publishPausesMs);
      return true;
    } catch (cause) {
      logger.error('change not published', { itemIdentifier, cause });
      if (!isFinal(cause)) return false;
      await deadLetters.add({ itemIdentifier, cause, change });
      return true;
    }
  }

  /** Tries again after each of the pauses, unless it was refused. */
  async function persist<Result>(run: () => Promise<Result>, pausesMs: readonly number[]): Promise<Result> {
    for (const pauseMs of pausesMs) {
      try {
        return await run();
      } catch (cause) {
        if (isFinal(cause)) throw cause;
        await clock.wait(pauseMs);
      }
    }
    return run();
  }

  async function takeInOrder(sequence: readonly Delivery[]): Promise<readonly Delivery[]> {
    for (const [index, delivery] of sequence.entries()) {
      if (!(await take(delivery))) return sequence.slice(index);
    }
    return [];
  }

  return async (deliveries) => (await Promise.all(sequencesOf(deliveries).map(takeInOrder))).flat();
}

/** A second try would be refused as well. */
function isFinal(cause: unknown): boolean {
  return cause instanceof Refusal && !errorTable[cause.code].retryable;
}

/** The changes of one key keep their order. Those of different keys run side by side. */
function sequencesOf(deliveries: readonly Delivery[]): readonly (readonly Delivery[])[] {
  const sequences = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const known = sequences.get(delivery.sequence);
    if (known) known.push(delivery);
    else sequences.set(delivery.sequence, [delivery]);
  }
  return [...sequences.values()];
}

/**
 * Checks what a mapping returned, before the first of several messages is published. A message without an id gets one
 * that is the same for each delivery of its change.
 */
function readMessages(given: unknown, changeId: string): readonly OutgoingMessage[] {
  if (given === null || given === undefined) return [];
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length > maxMessagesPerChange)
    throw new Refusal('bad_request', `A change makes at most ${maxMessagesPerChange} messages.`);
  return list.map((entry, index) => {
    // As receivers get it: a Date has become text.
    const message: unknown = JSON.parse(JSON.stringify(entry));
    readPublishRequest(message);
    const body = { messageId: uuidOf(`${changeId} ${index}`), ...(message as OutgoingMessage) };
    const bytes = Buffer.byteLength(JSON.stringify(body));
    if (bytes > maxPublishBodyBytes)
      throw Refusal.at('too_large', 'body', `has ${bytes} bytes; the limit is ${maxPublishBodyBytes}`);
    return body;
  });
}
