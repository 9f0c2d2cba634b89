import {
  AttributeType,
  CfnTable,
  ProjectionType,
  StreamViewType,
  type Table,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';
import { createTable, type TableOptions } from './table.ts';

/** Index by tenant and shard: finds everyone. A prefix of its sort key finds everyone of a user type. */
const byAudience = 'byAudience';
/** Index by connection id. Only session items carry the attribute, so subscriptions are not in it. */
const byConnection = 'byConnection';

/** TTL takes days to delete an item. These attributes of an index tell whether a session is still open. */
const whetherOpen = ['connectedAt', 'tokenExpiresAt'];

/** Sessions and subscriptions. An item is deleted when its connection ends. TTL deletes the items that remain. */
export class SessionTable extends Construct {
  readonly table: Table;
  readonly tableName: string;

  constructor(scope: Construct, id: string, props: TableOptions) {
    super(scope, id);
    this.table = createTable(this, props);
    this.table.addGlobalSecondaryIndex({
      indexName: byAudience,
      partitionKey: { name: 'audience', type: AttributeType.STRING },
      sortKey: { name: 'member', type: AttributeType.STRING },
      // Few attributes keep the rows small, so that a page of 1 MB holds thousands of recipients.
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: whetherOpen,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: byConnection,
      partitionKey: { name: 'connectionId', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: whetherOpen,
    });
    this.tableName = this.table.tableName;
  }

  /** Writes the session of a connection that opens, reads the user's rows, and ends sessions that may not stay. */
  grantOpen(fn: SwitchboardFunction): void {
    fn.allow(
      ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      [this.table.tableArn],
    );
  }

  /** Reads whether the tokens of a user were revoked. */
  grantReadRevocation(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:GetItem'], [this.table.tableArn]);
  }

  /** Reads the sessions of a user, and the subscriptions to a topic. */
  grantReadPresence(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:Query', 'dynamodb:GetItem'], [this.table.tableArn]);
  }

  /** Revokes the tokens of a user. */
  grantRevoke(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  /** Reads a session, and closes it. */
  grantClose(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:GetItem', 'dynamodb:UpdateItem'], [this.table.tableArn]);
    this.grantRemove(fn);
  }

  /** Deletes the session of a connection that is gone, and its subscriptions in batches. */
  grantRemove(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'], [this.table.tableArn]);
  }

  /** Subscribes a session to topics, and ends subscriptions. */
  grantSubscribe(fn: SwitchboardFunction): void {
    fn.allow(
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
      [this.table.tableArn],
    );
  }

  /** Finds the sessions behind a target, by any of the keys. It allows no scan. */
  grantResolve(fn: SwitchboardFunction): void {
    fn.allow(
      ['dynamodb:Query'],
      [
        this.table.tableArn,
        `${this.table.tableArn}/index/${byAudience}`,
        `${this.table.tableArn}/index/${byConnection}`,
      ],
    );
  }

  /** Marks a session as ended, and writes into its row why. */
  grantMarkEnded(fn: SwitchboardFunction): void {
    fn.allow(['dynamodb:UpdateItem'], [this.table.tableArn]);
  }

  /** Turns the table's stream on, and lets a function read it. Returns the stream's ARN. */
  addStream(reader: SwitchboardFunction): string {
    const table = this.table.node.defaultChild;
    // CDK's Table takes a stream only when it is created, and a lifecycle target comes later.
    if (!(table instanceof CfnTable)) throw new Error('The sessions table has no resource.');
    // An end is told by the row that was deleted, a beginning by the new one.
    table.streamSpecification = { streamViewType: StreamViewType.NEW_AND_OLD_IMAGES };
    const actions = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
    reader.allow(
      actions.map((action) => `dynamodb:${action}`),
      [table.attrStreamArn],
    );
    return table.attrStreamArn;
  }

  /** Lists whole sessions: the indexes give their keys, and batch reads give the items. */
  grantList(fn: SwitchboardFunction): void {
    this.grantResolve(fn);
    fn.allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem'], [this.table.tableArn]);
  }
}
