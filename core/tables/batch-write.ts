import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  type DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';

export type WriteRequest = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

/** The most writes that DynamoDB takes in one batch. */
const maxBatch = 25;

/** Writes all items. Items that DynamoDB leaves unprocessed are sent again. */
export async function writeAll(
  db: DynamoDBDocumentClient,
  table: string,
  requests: readonly WriteRequest[],
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(requests.length / maxBatch) }, (_, index) =>
    requests.slice(index * maxBatch, (index + 1) * maxBatch),
  );
  await Promise.all(batches.map((batch) => writeBatch(db, table, batch)));
}

async function writeBatch(
  db: DynamoDBDocumentClient,
  table: string,
  batch: readonly WriteRequest[],
): Promise<void> {
  let left: readonly WriteRequest[] = batch;
  while (left.length > 0) {
    const write = new BatchWriteCommand({ RequestItems: { [table]: [...left] } });
    left = (await db.send(write)).UnprocessedItems?.[table] ?? [];
  }
}
