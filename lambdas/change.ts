import { SQSClient } from '@aws-sdk/client-sqs';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { createDeadLetters } from '../core/changes/dead-letters.ts';
import { createPublishChanges } from '../core/changes/publish-changes.ts';
import type { BusEvent, ChangeMapping, TableChange } from '../core/changes/define-change.ts';
import { queueDelivery, streamDelivery } from '../core/changes/read-change.ts';
import { systemClock } from '../core/clock.ts';
import { type ErrorCode, Refusal } from '../protocol/index.ts';
import { createPublisher, type OutgoingMessage, PublishError } from '../publisher/publisher.ts';
import { readEnvironment, readRegion } from './environment.ts';
import type { QueueEvent, StreamEvent } from './events.ts';
import { log } from './logging/log.ts';

const environment = readEnvironment('change');
const publisher = createPublisher({
  url: environment.PUBLISH_URL,
  region: readRegion(),
  credentials: fromEnv(),
});
const deadLetters = createDeadLetters({
  sqs: new SQSClient({}),
  url: environment.CHANGE_DEAD_LETTERS_URL,
});

/**
 * Takes changes of a table's stream, or events from the queue behind a rule. `modules` holds the default export of the
 * owner's module, by file. The stack's bundle gives it.
 */
export function createHandler(modules: Readonly<Record<string, unknown>>) {
  const publishChanges = createPublishChanges({
    scope: environment.CHANGE_SCOPE,
    mapping: readMapping(modules),
    publish,
    deadLetters,
    logger: log,
    clock: systemClock,
  });
  return async ({ Records }: StreamEvent | QueueEvent) => {
    const deliveries = Records.map((record) =>
      'dynamodb' in record ? streamDelivery(record) : queueDelivery(record),
    );
    const failed = await publishChanges(deliveries);
    return { batchItemFailures: failed.map(({ itemIdentifier }) => ({ itemIdentifier })) };
  };
}

/** The codes that are about the message itself. Others, such as a missing right, can be repaired without it. */
const refusals: readonly ErrorCode[] = ['bad_request', 'too_large', 'conflict'];

async function publish(message: OutgoingMessage): Promise<void> {
  try {
    await publisher.publish(message);
  } catch (cause) {
    const code = cause instanceof PublishError && refusals.find((each) => each === cause.code);
    throw code ? new Refusal(code, cause.message, cause.details) : cause;
  }
}

function readMapping(modules: Readonly<Record<string, unknown>>): ChangeMapping<TableChange | BusEvent> {
  const [entry] = Object.entries(modules);
  const [file, mapping] = entry ?? ['no module'];
  if (!isMapping(mapping))
    throw new Error(`${file}: the default export must be a function, as defineChange makes it.`);
  return mapping;
}

function isMapping(value: unknown): value is ChangeMapping<TableChange | BusEvent> {
  return typeof value === 'function';
}
