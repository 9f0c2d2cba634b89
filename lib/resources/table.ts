import type { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

export interface TableOptions {
  readonly removalPolicy: RemovalPolicy;
  readonly deletionProtection: boolean;
}

/** A table on demand, with the keys `pk` and `sk`, and with `expiresAt` as the time to live of an item. */
export function createTable(scope: Construct, { removalPolicy, deletionProtection }: TableOptions): Table {
  return new Table(scope, 'Table', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'expiresAt',
    // Encrypted under a key that DynamoDB owns, as every table is. A KMS key would cost for each use.
    encryption: TableEncryption.DEFAULT,
    // Durable messages and revocations must not be lost. After a bad deployment, they can be restored.
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    removalPolicy,
    deletionProtection,
  });
}
