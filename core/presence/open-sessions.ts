import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { isOpen, recipientOf, type Recipient, type SessionRow, userKey } from '../sessions/items.ts';
import { revocationSortKey } from '../sessions/revocations.ts';
import type { Subject } from './subjects.ts';

/** The open sessions of a user; with a topic, those that are subscribed to it. */
export type OpenSessions = (subject: Subject) => Promise<readonly Recipient[]>;

/** The sessions themselves tell who is present. The read is consistent. */
export function createOpenSessions({
  db,
  table,
  clock,
}: {
  readonly db: DynamoDBDocumentClient;
  /** The name of the sessions table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}): OpenSessions {
  async function rowsOf(user: Identity): Promise<readonly SessionRow[]> {
    const rows: SessionRow[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const { Items, LastEvaluatedKey } = await db.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :user AND sk < :revocation',
          ExpressionAttributeValues: { ':user': userKey(user), ':revocation': revocationSortKey },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      );
      rows.push(...((Items ?? []) as SessionRow[]));
      from = LastEvaluatedKey;
    } while (from);
    return rows;
  }

  return async ({ user, topic }) => {
    const open = (await rowsOf(user)).filter((row) => isOpen(row, clock.now()));
    return open.filter((row) => topic === undefined || row.topics?.has(topic)).map(recipientOf);
  };
}
