import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { writeAssembly } from '../../harness/assembly.ts';
import { type Platform, startPlatform } from '../../harness/platform.ts';
import { itemsTable, streamReader } from '../../harness/table-template.ts';

export const patiently = { timeout: 20_000 };
export const destination = {
  DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['Failures', 'Arn'] } } },
};
/** Time for all puts of a test to get into one batch. The window ends as soon as the batch is full. */
export const window = { MaximumBatchingWindowInSeconds: 300 };

export type Options = Parameters<typeof streamReader>[0];

function template(options: Options = {}): object {
  return { Resources: { ...itemsTable(), ...streamReader(options) } };
}

export function start(
  options: Options = {},
  platform: Parameters<typeof startPlatform>[1] = {},
): Promise<Platform> {
  return startPlatform(writeAssembly(template(options)), platform);
}

/** A handler that prints the sort keys of its batch as one line, then runs `body` with `Records` and `keys`. */
export function reader(body = ''): string {
  return `exports.handler = async ({ Records }) => {
    const keys = Records.map(({ dynamodb }) => Number(dynamodb.Keys.sk.N));
    const numberOf = (key) => Records.find(({ dynamodb }) => dynamodb.Keys.sk.N === String(key))?.dynamodb.SequenceNumber;
    process.stdout.write(JSON.stringify(keys) + '\\n');
    ${body}
  }`;
}

/** The batches that the function has got, as lists of sort keys. */
export function batchesOf(platform: Platform): readonly (readonly number[])[] {
  const lines = platform.output.flatMap((text) => text.trim().split('\n'));
  // Lambda logs the stack of an error too.
  return lines.filter((line) => line.startsWith('[')).map((line) => JSON.parse(line) as number[]);
}

export async function put(
  platform: Platform,
  keys: readonly number[],
  attributes: Record<string, { S: string }> = {},
) {
  const client = new DynamoDBClient(platform.client);
  const TableName = platform.deployment.physicalId('Items');
  for (const key of keys) {
    const Item = { pk: { S: 'a' }, sk: { N: String(key) }, ...attributes };
    await client.send(new PutItemCommand({ TableName, Item }));
  }
}

/** Waits for a message at the on-failure destination. */
export async function failure(platform: Platform): Promise<unknown> {
  const client = new SQSClient(platform.client);
  const QueueUrl = platform.deployment.physicalId('Failures');
  for (;;) {
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    const [message] = Messages;
    if (message?.Body === undefined) continue;
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    return JSON.parse(message.Body) as unknown;
  }
}
