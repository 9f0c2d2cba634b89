import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Duration, Validations } from 'aws-cdk-lib';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { changeTimeoutMs } from '../../core/timing.ts';
import type { FunctionEnvironments } from '../../lambdas/environment.ts';
import { outboxMapping } from '../functions/bundles.ts';
import { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createDeadLetters } from '../resources/dead-letters.ts';
import { SettingsError } from '../settings/settings.ts';
import type { Switchboard } from '../switchboard.ts';
import { ChangeSource, type StreamTable } from './change-source.ts';

export interface PublishOnChangeProps {
  /** Publishes the messages. */
  readonly realtime: Switchboard;
  /** `ChangeSource.table(orders)` or `ChangeSource.events({ source: ['shop'] })`. */
  readonly source: ChangeSource;
  /**
   * The path of a module (`.ts`, `.js`, …) whose default export says what to publish for a change: `defineChange` of
   * `switchboard/change` makes it. The module is bundled with all that it imports.
   */
  readonly map: string;
}

/**
 * Publishes when data changes: at least once, and the changes of a row in their order.
 *
 * ```ts
 * new PublishOnChange(stack, 'OrderChanges', { realtime, source: ChangeSource.table(orders), map: 'order-changes.ts' });
 * ```
 */
export class PublishOnChange extends Construct {
  /** Runs the mapping. What the mapping reads is granted to it: `members.grantReadData(changes.mapFunction)`. */
  readonly mapFunction: LambdaFunction;
  /** The changes that were given up, for 14 days. */
  readonly deadLetters: Queue;

  /** Publishes the items that `outboxItem` of `switchboard/change` makes. Other rows of the table cost nothing here. */
  static outbox(
    scope: Construct,
    id: string,
    { realtime, table }: { readonly realtime: Switchboard; readonly table: StreamTable },
  ): PublishOnChange {
    const filters = [
      { eventName: ['INSERT'], dynamodb: { NewImage: { switchboardOutbox: { S: [{ exists: true }] } } } },
    ];
    const source = ChangeSource.table(table, { filters });
    return new PublishOnChange(scope, id, { realtime, source, map: outboxMapping });
  }

  constructor(scope: Construct, id: string, { realtime, source, map }: PublishOnChangeProps) {
    super(scope, id);
    if (!statSync(map, { throwIfNoEntry: false })?.isFile())
      throw new SettingsError(`The map of a PublishOnChange is ${JSON.stringify(map)}, which is no file.`);
    this.deadLetters = createDeadLetters(this, 'A change of data was not published.');
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It holds dead letters itself: those of a stream, which the rule does not see.',
    });
    const { logLevel, ...logs } = realtime.logging;
    const fn = new SwitchboardFunction(this, 'Function', {
      ...logs,
      entry: 'change',
      modules: [resolve(map)],
      description: 'Publishes what a mapping makes of changes of data',
      environment: {
        LOG_LEVEL: logLevel,
        PUBLISH_URL: realtime.publishUrl,
        CHANGE_SCOPE: this.node.addr,
        CHANGE_DEAD_LETTERS_URL: this.deadLetters.queueUrl,
      } satisfies FunctionEnvironments['change'],
      memorySize: 256,
      timeout: Duration.millis(changeTimeoutMs),
    });
    // Lambda passes it to Node: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
    fn.addEnvironment('NODE_OPTIONS', '--enable-source-maps');
    // Lambda too sends here what it gives up, in the role of the function.
    fn.allow(['sqs:SendMessage'], [this.deadLetters.queueArn]);
    realtime.addOwnPublisher(fn);
    source.bind(this, fn, this.deadLetters);
    this.mapFunction = fn;
  }

  /** The alarm on the dead letters. It has no action yet: `for (const alarm of alarms) alarm.addAlarmAction(…)`. */
  get alarms(): readonly Alarm[] {
    return this.node.findAll().filter((construct) => construct instanceof Alarm);
  }
}
