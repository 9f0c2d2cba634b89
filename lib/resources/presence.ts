import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { presenceAttempts, presenceVisibilityMs } from '../../core/timing.ts';
import type { PresenceSettings } from '../../lambdas/environment.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createDeadLetters } from './dead-letters.ts';
import type { SessionTable } from './session-table.ts';

/** The queue of later looks at who is watched, and the stream that tells who comes and goes. */
export class Presence extends Construct {
  private readonly queue: Queue;
  private readonly deadLetters: Queue;
  private readonly graceSeconds: number;

  constructor(scope: Construct, id: string, graceSeconds: number) {
    super(scope, id);
    this.graceSeconds = graceSeconds;
    this.deadLetters = createDeadLetters(
      this,
      'A change of presence failed often: watchers may have been told something else than what is true.',
    );
    // Standard, not FIFO: each message has a delay of its own.
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.millis(presenceVisibilityMs),
      retentionPeriod: Duration.days(1),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: presenceAttempts },
    });
  }

  /** The variable `PRESENCE`. */
  get variable(): string {
    const { queue, graceSeconds } = this;
    return JSON.stringify({ queueUrl: queue.queueUrl, graceSeconds } satisfies PresenceSettings);
  }

  /** Lets a function send later looks. */
  grantSend(fn: SwitchboardFunction): void {
    fn.allow(['sqs:SendMessage'], [this.queue.queueArn]);
  }

  /** Gives a function the changes of sessions and subscriptions, and the later looks. */
  addWorker(fn: SwitchboardFunction, sessions: SessionTable): void {
    fn.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [this.queue.queueArn]);
    // Lambda sends the records that failed too often, in the role of the function.
    fn.allow(['sqs:SendMessage'], [this.deadLetters.queueArn]);
    new EventSourceMapping(this, 'Changes', {
      target: fn,
      eventSourceArn: sessions.addStream(fn),
      startingPosition: StartingPosition.TRIM_HORIZON,
      // Sessions and subscriptions that begin and end. Updates, revocations and watches cost no invocation.
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.or('INSERT', 'REMOVE'),
          dynamodb: {
            Keys: { pk: { S: FilterRule.beginsWith('USER#') }, sk: { S: FilterRule.notEquals('~revoked') } },
          },
        }),
        FilterCriteria.filter({
          eventName: FilterRule.or('INSERT', 'REMOVE'),
          dynamodb: { Keys: { pk: { S: FilterRule.beginsWith('TOPIC#') } } },
        }),
      ],
      // Under load, one invocation and one read take many subscribers of a topic.
      batchSize: 100,
      parallelizationFactor: 2,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: 10,
      onFailure: { bind: () => ({ destination: this.deadLetters.queueArn }) },
    });
    new EventSourceMapping(this, 'Looks', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      batchSize: 10,
      // Many looks at once must not take the account's concurrency.
      maxConcurrency: 10,
      reportBatchItemFailures: true,
    });
  }
}
