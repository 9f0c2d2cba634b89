import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { checkAttempts, checkVisibilityMs } from '../../core/timing.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createDeadLetters } from './dead-letters.ts';

/** The queue of sessions to look at: each at the expiry of its token, if it is one too many, or if its close failed. */
export class SessionChecks extends Construct {
  readonly queueUrl: string;
  private readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const deadLetters = createDeadLetters(
      this,
      'A session could not be closed five times: its connection may be open after its end.',
    );
    // Standard, not FIFO: each message has a delay of its own.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.millis(checkVisibilityMs),
      // No connection lives for longer than two hours.
      retentionPeriod: Duration.days(1),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: checkAttempts },
    });
    this.queueUrl = this.queue.queueUrl;
  }

  /** Lets a function send sessions to the queue. */
  grantSend(fn: SwitchboardFunction): void {
    fn.allow(['sqs:SendMessage'], [this.queue.queueArn]);
  }

  /** Lets a function look at the sessions. */
  addWorker(fn: SwitchboardFunction): void {
    fn.allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [this.queue.queueArn]);
    new EventSourceMapping(this, 'Worker', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      // Most messages are only sent on, so one call takes many of them.
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(2),
      // Many sessions that expire at once must not take the account's concurrency.
      maxConcurrency: 5,
      reportBatchItemFailures: true,
    });
  }
}
