import type { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';

export interface StateTableProps {
  readonly removalPolicy: RemovalPolicy;
  readonly deletionProtection: boolean;
}

/** The data that outlives a connection: publications, durable messages, how far users have read them; and tickets. */
export class StateTable extends Construct {
  readonly tableName: string;
  private readonly table: Table;

  constructor(scope: Construct, id: string, props: StateTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      // Encrypted under a key that DynamoDB owns, as every table is. A KMS key would cost for each use.
      encryption: TableEncryption.DEFAULT,
      // Durable messages must not be lost. After a bad deployment, they can be restored.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: props.removalPolicy,
      deletionProtection: props.deletionProtection,
    });
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

  /** Stores tickets, counts the units of users, and nothing else. */
  grantIssueTickets(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:PutItem', 'TICKET#*');
    this.allowRows(fn, 'dynamodb:UpdateItem', 'RATE#*');
  }

  /** Takes tickets, and nothing else: the authorizer is what strangers can call. */
  grantUseTickets(fn: SwitchboardFunction): void {
    this.allowRows(fn, 'dynamodb:DeleteItem', 'TICKET#*');
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
