import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule as Times } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { scheduleAttempts, scheduleTickMs, scheduleVisibilityMs } from '../../core/timing.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createDeadLetters } from './dead-letters.ts';

/** The queue in which scheduled messages wait for their second, and the tick of each minute that fills it. */
export class Schedule extends Construct {
  readonly queueUrl: string;
  private readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const deadLetters = createDeadLetters(
      this,
      'A scheduled message failed five times: it may not have reached all of its audience.',
    );
    // Standard, not FIFO: each message has a delay of its own.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    this.queue = new Queue(this, 'Messages', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.millis(scheduleVisibilityMs),
      // The tick hands over again what was lost here.
      retentionPeriod: Duration.days(1),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: scheduleAttempts },
    });
    this.queueUrl = this.queue.queueUrl;
  }

  /** Lets a function hand messages to the queue. */
  grantSend(fn: SwitchboardFunction): void {
    fn.allow(['sqs:SendMessage'], [this.queue.queueArn]);
  }

  /** Lets a function deliver the messages, and run every minute. */
  addWorker(fn: SwitchboardFunction): void {
    fn.allow(
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
      [this.queue.queueArn],
    );
    new EventSourceMapping(this, 'Worker', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      // No batching window: a message could wait in it.
      batchSize: 10,
      // 80 messages side by side, so that many for one moment leave the account's requests to others.
      maxConcurrency: 8,
      reportBatchItemFailures: true,
    });
    new Rule(this, 'Tick', {
      description: 'Hands the scheduled messages of the next minutes to their queue',
      schedule: Times.rate(Duration.millis(scheduleTickMs)),
      targets: [new LambdaFunction(fn)],
    });
  }
}
