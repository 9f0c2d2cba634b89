import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { App, CfnOutput } from 'aws-cdk-lib';
import { AttributeType, BillingMode, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import {
  ChangeSource,
  PublishOnChange,
  SwitchboardStack,
  type SwitchboardStackSettings,
} from '../../../lib/index.ts';
import { localKeys, localRegion } from '../../../publisher/signed-request.ts';
import { startStack, type Stack } from '../stack.ts';

/** A stack whose messages come from a table, an outbox in that table, and an event bus. */
export interface StackWithChanges extends Stack {
  readonly db: DynamoDBDocumentClient;
  readonly eventBridge: EventBridgeClient;
  output(name: string): string;
  setFaults(faults: object): Promise<void>;
  /** Takes the next dead letter out of its queue. */
  deadLetter(queue: 'OrderLetters' | 'ShipmentLetters'): Promise<Record<string, unknown>>;
  /** What a durable topic keeps, in its order. */
  messagesOf(
    topic: string,
  ): Promise<readonly { messageId: string; offset: number; type: string; content: unknown }[]>;
}

export async function startStackWithChanges(
  settings: SwitchboardStackSettings = {},
): Promise<StackWithChanges> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-changes-'));
  const app = new App({ outdir: folder, builtinCloudFormationValidation: false });
  const stack = new SwitchboardStack(app, 'Switchboard', { durableTopics: ['orders.*'], ...settings });
  const { switchboard: realtime } = stack;
  const orders = new Table(stack, 'Orders', {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    timeToLiveAttribute: 'expiresAt',
  });
  const orderChanges = new PublishOnChange(stack, 'OrderChanges', {
    realtime,
    source: ChangeSource.table(orders, {
      filters: [{ dynamodb: { Keys: { sk: { S: ['order'] } } } }],
    }),
    map: path.join(import.meta.dirname, 'order-changes.ts'),
  });
  const outbox = PublishOnChange.outbox(stack, 'Outbox', { realtime, table: orders });
  const bus = new EventBus(stack, 'Bus');
  const shipments = new PublishOnChange(stack, 'Shipments', {
    realtime,
    source: ChangeSource.events({ source: ['warehouse'], detailType: ['Shipped'] }, bus),
    map: path.join(import.meta.dirname, 'shipment-events.ts'),
  });
  const outputs = {
    OrdersTable: orders.tableName,
    BusName: bus.eventBusName,
    OrderLetters: orderChanges.deadLetters.queueUrl,
    OutboxLetters: outbox.deadLetters.queueUrl,
    ShipmentLetters: shipments.deadLetters.queueUrl,
  };
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
  app.synth();

  const started = await startStack({ assembly: folder });
  const client = { endpoint: started.url, region: localRegion, credentials: localKeys };
  const db = DynamoDBDocumentClient.from(new DynamoDBClient(client));
  const eventBridge = new EventBridgeClient(client);
  const sqs = new SQSClient(client);
  const output = (name: string) => started.cloud.deployment.outputs.get(name) ?? '';
  return {
    ...started,
    db,
    eventBridge,
    output,
    async setFaults(faults) {
      await fetch(`${started.url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
    },
    async deadLetter(queue) {
      const QueueUrl = output(queue);
      for (;;) {
        const { Messages: [message] = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }),
        );
        if (message === undefined) continue;
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
        return JSON.parse(message.Body ?? '') as Record<string, unknown>;
      }
    },
    async messagesOf(topic) {
      const { body } = await started.call('GET', `/channels/topic:${topic}/messages`);
      return (body as { messages: { messageId: string; offset: number; type: string; content: unknown }[] })
        .messages;
    },
    async close() {
      for (const each of [db, eventBridge, sqs]) each.destroy();
      await started.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
