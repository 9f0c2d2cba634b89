import { Duration } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { scheduleAttempts, scheduleVisibilityMs } from '../../core/timing.ts';
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
    // CDK's own target would let the role invoke every version of the function too.
    const role = new Role(this, 'TickRole', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }),
    );
    new CfnSchedule(this, 'Tick', {
      description: 'Hands the scheduled messages of the next minutes to their queue',
      // The time between two ticks in core/timing.ts.
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      // A tick that fails is not repeated: the next one begins where it began.
      target: { arn: fn.functionArn, roleArn: role.roleArn, retryPolicy: { maximumRetryAttempts: 0 } },
    });
  }
}
