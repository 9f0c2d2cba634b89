import type { Clock } from '../clock.ts';
import type { TableStream } from '../dynamodb/stream.ts';
import type { Faults } from '../faults/faults.ts';
import { asText } from '../json.ts';
import type { Functions } from '../lambda/functions.ts';
import { queueOf } from './mapping.ts';
import { QueuePoller } from './queue/poller.ts';
import { readQueueSource } from './queue/settings.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { createFailureSender } from './stream/failure.ts';
import { StreamReader } from './stream/reader.ts';
import { readStreamSource } from './stream/settings.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

export interface EventSources {
  /** Brings no more messages and records. Does not wait for batches that still run. */
  readonly close: () => Promise<void>;
}

/** Brings messages of queues and records of streams to functions, as Lambda's event source mappings do. */
export function startEventSources(options: {
  readonly deployment: Deployment;
  readonly functions: Functions;
  readonly clock: Clock;
  readonly now: () => number;
  readonly faults: Faults;
  readonly sqs: Pick<Sqs, 'call'>;
  readonly streams: ReadonlyMap<string, TableStream>;
}): EventSources {
  const { deployment, functions, clock, now, faults, sqs, streams } = options;
  const sources = deployment.ofType('AWS::Lambda::EventSourceMapping').map(sourceOf);
  const enabled = sources.filter((source) => source.settings.enabled);
  for (const source of enabled) source.start();
  return {
    close() {
      for (const source of enabled) source.stop();
      return Promise.resolve();
    },
  };

  function sourceOf(resource: Resource): QueuePoller | StreamReader {
    const arn = asText(resource.properties.EventSourceArn) ?? '';
    const queue = queueOf(deployment, arn);
    if (queue !== undefined)
      return new QueuePoller(readQueueSource(deployment, functions, resource, queue), sqs, clock, faults);
    const stream = streams.get(arn);
    if (stream !== undefined) {
      const settings = readStreamSource(deployment, functions, resource, stream);
      return new StreamReader(settings, clock, faults, createFailureSender(settings, sqs, now));
    }
    throw new TemplateError(
      `${resource.logicalId}: its event source ${arn} is neither a queue nor a stream of the template.`,
    );
  }
}
