import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { idOf } from '../../core/targets/rules.ts';
import { lifecycleRetrySeconds, lifecycleTimeoutMs, lifecycleVisibilityMs } from '../../core/timing.ts';
import type { FunctionEnvironments, LifecycleTargetSettings } from '../../lambdas/environment.ts';
import type { LifecycleTarget } from './listener-target.ts';
import { createDeadLetters } from '../resources/dead-letters.ts';
import type { SessionTable } from '../resources/session-table.ts';
import { SettingsError } from '../settings/settings.ts';
import { type FunctionLogs, SwitchboardFunction } from '../functions/switchboard-function.ts';
import { targetsVariable } from './targets-variable.ts';

export interface LifecycleProps extends FunctionLogs {
  readonly sessions: SessionTable;
  /** Without a lifecycle target, it writes nothing about the end. */
  readonly disconnect: SwitchboardFunction;
  readonly logLevel: string;
  /** @default - the function shares the account's executions */
  readonly reservedConcurrency: number | undefined;
}

/**
 * Tells targets of sessions that begin and end, from the stream of the sessions table. It has no resources before its
 * first target.
 */
export class Lifecycle extends Construct {
  private readonly props: LifecycleProps;
  private readonly targets: LifecycleTargetSettings[] = [];
  private teller: SwitchboardFunction | undefined;

  constructor(scope: Construct, id: string, props: LifecycleProps) {
    super(scope, id);
    this.props = props;
  }

  add(target: LifecycleTarget): void {
    this.teller ??= this.createTeller();
    const settings = target.bind(this.teller);
    if (this.targets.some((known) => idOf(known) === idOf(settings)))
      throw new SettingsError('Two lifecycle targets are the same.');
    this.targets.push(settings);
    this.teller.addEnvironment('LIFECYCLE_TARGETS', targetsVariable(this.targets));
  }

  private createTeller(): SwitchboardFunction {
    const { sessions, disconnect, logLevel, logRetention, removalPolicy } = this.props;
    const deadLetters = createDeadLetters(
      this,
      'A lifecycle target did not take an event: it was not told of a session.',
    );
    const retries = new Queue(this, 'Retries', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.millis(lifecycleVisibilityMs),
      // Longer than all pauses together.
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: lifecycleRetrySeconds.length },
    });
    const teller = new SwitchboardFunction(this, 'Function', {
      logRetention,
      removalPolicy,
      entry: 'lifecycle',
      description: 'Tells lifecycle targets of sessions that begin and end',
      environment: {
        LOG_LEVEL: logLevel,
        LIFECYCLE_TARGETS: '[]',
        LIFECYCLE_RETRIES_URL: retries.queueUrl,
      } satisfies FunctionEnvironments['lifecycle'],
      memorySize: 512,
      timeout: Duration.millis(lifecycleTimeoutMs),
    });
    if (this.props.reservedConcurrency !== undefined) teller.reserve(this.props.reservedConcurrency);
    const streamArn = sessions.addStream(teller);
    sessions.grantMarkEnded(disconnect);
    disconnect.addEnvironment('RECORDS_ENDS', 'true');
    teller.allow(
      [
        'sqs:SendMessage',
        'sqs:ReceiveMessage',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:ChangeMessageVisibility',
      ],
      [retries.queueArn],
    );
    // Lambda sends the records that failed too often, in the role of the function. CDK's SqsDlq would grant more.
    teller.allow(['sqs:SendMessage'], [deadLetters.queueArn]);
    new EventSourceMapping(this, 'Changes', {
      target: teller,
      eventSourceArn: streamArn,
      // The stream begins with this deployment, so nothing old is in it. LATEST could skip what comes meanwhile.
      startingPosition: StartingPosition.TRIM_HORIZON,
      // Only sessions that begin and end cost an invocation, not subscriptions, updates and revocations.
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.or('INSERT', 'REMOVE'),
          dynamodb: {
            Keys: { pk: { S: FilterRule.beginsWith('USER#') }, sk: { S: FilterRule.notEquals('~revoked') } },
          },
        }),
      ],
      // Small batches side by side, so that a target that hangs holds up few sessions. Lambda keeps each item's order.
      batchSize: 10,
      parallelizationFactor: 10,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: 10,
      onFailure: { bind: () => ({ destination: deadLetters.queueArn }) },
    });
    new EventSourceMapping(this, 'Worker', {
      target: teller,
      eventSourceArn: retries.queueArn,
      batchSize: 10,
      // A target that fails for hours must not take the account's concurrency.
      maxConcurrency: 5,
      reportBatchItemFailures: true,
    });
    return teller;
  }
}
