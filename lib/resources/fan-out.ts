import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { fanOutAttempts, fanOutVisibilityMs } from '../../core/timing.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createDeadLetters } from './dead-letters.ts';

/** The queue between a publish to a large audience and the workers that send it: one job per shard. */
export class FanOut extends Construct {
  readonly queueUrl: string;
  /** Holds the jobs that failed five times. */
  readonly deadLetters: Queue;
  private readonly queue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.deadLetters = createDeadLetters(
      this,
      'A job of a publication failed five times: it may not have reached all of its audience.',
    );
    // Standard, not FIFO: shards need no order. Each job has its tenant as message group, so a standard queue keeps one
    // tenant's broadcast from delaying another's (SQS, fair queues).
    this.queue = new Queue(this, 'Jobs', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.millis(fanOutVisibilityMs),
      // A job holds the frame as escaped text, so 128 KB of quotes become 512 KB. SQS takes 1 MiB.
      maxMessageSizeBytes: 1_048_576,
      // A publication's record is kept for a day, so no report could show an older job.
      retentionPeriod: Duration.days(1),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: fanOutAttempts },
    });
    this.queueUrl = this.queue.queueUrl;
  }

  /** Lets a function send jobs to the queue. */
  grantSend(fn: SwitchboardFunction): void {
    fn.allow(['sqs:SendMessage'], [this.queue.queueArn]);
  }

  /** Lets a function work on the jobs, on at most `maxConcurrency` at a time. */
  addWorker(fn: SwitchboardFunction, maxConcurrency: number): void {
    fn.allow(
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
      [this.queue.queueArn],
    );
    new EventSourceMapping(this, 'Worker', {
      target: fn,
      eventSourceArn: this.queue.queueArn,
      // One job per call, so that shards are sent in parallel. There is no batching window: a job could wait in it.
      batchSize: 1,
      maxConcurrency,
      reportBatchItemFailures: true,
    });
  }
}
