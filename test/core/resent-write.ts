import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A database whose first command of that name is applied, its answer lost, and sent again: as the SDK retries it. */
export function withResentWrite(db: DynamoDBDocumentClient, command: string): DynamoDBDocumentClient {
  let isLost = false;
  return new Proxy(db, {
    get(target, name) {
      if (name !== 'send') return Reflect.get(target, name) as unknown;
      return async (sent: Parameters<typeof db.send>[0]) => {
        if (!isLost && sent.constructor.name === command) {
          isLost = true;
          await target.send(sent);
        }
        return target.send(sent);
      };
    },
  });
}
