import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Switchboard } from 'switchboard';

/** The table of the chat. The listeners in `listeners.ts` run in the function of the construct `Switchboard`. */
export class Chat extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { realtime }: { readonly realtime: Switchboard }) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.table.grant(
      realtime.listenerFunction,
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
    );
    realtime.listenerFunction.addEnvironment('CHAT_TABLE', this.table.tableName);
  }
}
