import type { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { SwitchboardFunction } from './switchboard-function.ts';

export interface StateTableProps {
  readonly removalPolicy: RemovalPolicy;
}

/** What outlives a connection: publications and their counts, durable messages, and how far users have read them. */
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
      // At rest under a key that DynamoDB owns: every table is, and a KMS key would charge for each use.
      encryption: TableEncryption.DEFAULT,
      // A durable message is promised not to be lost; a bad deployment must not be able to break that for good.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: props.removalPolicy,
    });
    this.tableName = this.table.tableName;
  }

  /** Stores durable messages, moves read cursors; records a publication and how far it has come. */
  grantPublish(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  /** Records what became of each recipient, for a publish that asks for it. */
  grantReport(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:BatchWriteItem'], [this.table.tableArn]);
  }

  /** Reads durable messages, and what became of a publication, by recipient too. */
  grantRead(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:GetItem', 'dynamodb:Query'], [this.table.tableArn]);
  }

  /** Closes holes in a channel's log, which only a reader finds. */
  grantSealGaps(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:PutItem'], [this.table.tableArn]);
  }
}
