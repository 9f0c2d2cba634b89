import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { type EventPattern, Rule, type RuleProps } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, FilterCriteria, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { changeAttempts, changeVisibilityMs } from '../../core/timing.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { SettingsError } from '../settings/settings.ts';

/** Where changes come from. */
export interface ChangeSource {
  /** Brings the changes to a function. Those that it cannot take become dead letters. */
  bind(scope: Construct, fn: SwitchboardFunction, deadLetters: IQueue): void;
}

/** A table with a stream of new and old images. */
export type StreamTable = Pick<ITable, 'tableArn'> & {
  // CDK's Table is no ITable under `exactOptionalPropertyTypes`, so only members are asked for.
  readonly tableStreamArn?: string | undefined;
  readonly encryptionKey?: Pick<IKey, 'grantDecrypt'> | undefined;
};

export interface TableSourceOptions {
  /**
   * Which records of the stream cost a call of the mapping. Lambda reads them before it calls:
   * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
   * @default - all
   */
  readonly filters?: readonly Readonly<Record<string, unknown>>[];
}

export const ChangeSource = {
  /** The rows of a DynamoDB table: `stream: StreamViewType.NEW_AND_OLD_IMAGES`. The changes of a row keep their order. */
  table(table: StreamTable, { filters = [] }: TableSourceOptions = {}): ChangeSource {
    const { tableStreamArn, encryptionKey } = table;
    if (tableStreamArn === undefined)
      throw new SettingsError(
        'The table of a PublishOnChange has no stream. Give it stream: StreamViewType.NEW_AND_OLD_IMAGES.',
      );
    return {
      bind(scope, fn, deadLetters) {
        const actions = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
        fn.allow(
          actions.map((action) => `dynamodb:${action}`),
          [tableStreamArn],
        );
        encryptionKey?.grantDecrypt(fn);
        new EventSourceMapping(scope, 'Source', {
          target: fn,
          eventSourceArn: tableStreamArn,
          // LATEST could skip what is written while the mapping is made.
          startingPosition: StartingPosition.TRIM_HORIZON,
          ...(filters.length > 0 && { filters: filters.map((filter) => FilterCriteria.filter(filter)) }),
          // Small batches side by side, so that a change that fails holds up few keys. Lambda keeps each row's order.
          batchSize: 10,
          parallelizationFactor: 10,
          reportBatchItemFailures: true,
          bisectBatchOnError: true,
          retryAttempts: changeAttempts,
          onFailure: { bind: () => ({ destination: deadLetters.queueArn }) },
        });
      },
    };
  },

  /** The events of EventBridge that a pattern matches. EventBridge gives them no order. */
  events(eventPattern: EventPattern, bus?: NonNullable<RuleProps['eventBus']>): ChangeSource {
    return {
      bind(scope, fn, deadLetters) {
        // EventBridge calls a function three times at most. A queue holds events through a longer outage.
        const events = new Queue(scope, 'Events', {
          encryption: QueueEncryption.SQS_MANAGED,
          enforceSSL: true,
          visibilityTimeout: Duration.millis(changeVisibilityMs),
          deadLetterQueue: { queue: deadLetters, maxReceiveCount: changeAttempts },
        });
        new Rule(scope, 'Rule', {
          eventPattern,
          ...(bus && { eventBus: bus }),
          targets: [new SqsQueue(events)],
        });
        fn.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [events.queueArn]);
        new EventSourceMapping(scope, 'Source', {
          target: fn,
          eventSourceArn: events.queueArn,
          batchSize: 10,
          // A burst of events must not take the account's concurrency.
          maxConcurrency: 10,
          reportBatchItemFailures: true,
        });
      },
    };
  },
};
