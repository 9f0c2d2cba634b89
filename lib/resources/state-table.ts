import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createTable, type TableOptions } from './table.ts';

/** The data that outlives a connection: publications, durable messages, how far users have read them; and tickets. */
export class StateTable extends Construct {
  readonly tableName: string;
  private readonly table: Table;

  constructor(scope: Construct, id: string, props: TableOptions) {
    super(scope, id);
    this.table = createTable(this, props);
    this.tableName = this.table.tableName;
  }

  /** Stores durable messages and read cursors. Records publications and their progress. */
  grantPublish(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  /** Records the outcome for each recipient, if a publish asks for a report. */
  grantReport(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:BatchWriteItem'], [this.table.tableArn]);
  }

  /** Reads durable messages, publications and their reports. */
  grantRead(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:GetItem', 'dynamodb:Query'], [this.table.tableArn]);
  }

  /** Reads when users were last seen. */
  grantReadPresence(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:BatchGetItem'], [this.table.tableArn]);
  }

  /** Stores tickets, counts the units of users, and nothing else. */
  grantIssueTickets(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:PutItem', 'TICKET#*');
  }

  /** Counts the units of users, and nothing else. */
  grantCountUnits(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:UpdateItem', 'RATE#*');
  }

  /** Takes tickets, and nothing else: the authorizer is what strangers can call. */
  grantUseTickets(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:DeleteItem', 'TICKET#*');
  }

  /** Notes tenants and user types that have sessions, and nothing else. */
  grantNoteSeen(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:PutItem', 'SEEN#*');
  }

  /** Cancels scheduled messages. */
  grantCancel(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:UpdateItem', 'PUBLICATION#*');
    for (const keys of ['DUE#*', 'SCHEDULED#*']) this.allowRows(fn, 'dynamodb:DeleteItem', keys);
  }

  /** Finds the scheduled messages whose time has come. With `grantReport` it also deletes them. */
  grantDeliverScheduled(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:Query', 'dynamodb:BatchGetItem'], [this.table.tableArn]);
  }

  /** Seals gaps in a channel's log. Only readers find gaps. */
  grantSealGaps(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:PutItem'], [this.table.tableArn]);
  }

  /** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html */
  private allowRows(fn: SwitchboardFunction, action: string, keys: string): void {
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: [action],
        resources: [this.table.tableArn],
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] } },
      }),
    );
  }
}
