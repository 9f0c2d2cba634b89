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
  /**
   * Reads the mappings of another deployment. Throws a TemplateError for a mistake in it, and changes nothing then. The
   * returned function deploys them. A mapping that is the same runs on.
   */
  readonly prepare: (deployment: Deployment) => () => void;
}

type Source = QueuePoller | StreamReader;

interface Running {
  /** What the mapping says. Two with the same text are the same mapping. */
  readonly text: string;
  readonly source: Source;
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
  const { functions, clock, now, faults, sqs, streams } = options;
  let running: readonly Running[] = [];
  prepare(options.deployment)();
  return {
    prepare,
    close() {
      for (const { source } of running) source.stop();
      return Promise.resolve();
    },
  };

  function prepare(deployment: Deployment): () => void {
    const read = deployment.ofType('AWS::Lambda::EventSourceMapping').map((resource) => ({
      text: JSON.stringify(resource),
      source: sourceOf(deployment, resource),
    }));
    const wanted = read.filter(({ source }) => source.settings.enabled);
    return () => {
      const before = running;
      running = wanted.map((next) => before.find(({ text }) => text === next.text) ?? next);
      for (const each of before.filter((one) => !running.includes(one))) each.source.retire();
      for (const each of running.filter((one) => !before.includes(one))) each.source.start();
    };
  }

  function sourceOf(deployment: Deployment, resource: Resource): Source {
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
