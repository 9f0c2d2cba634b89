import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Identity } from '../../protocol/index.ts';
import type { VerifiedToken } from '../auth/verified-token.ts';
import { answerIfHeld } from '../tables/conditional-write.ts';
import { unchangedGrants, writeGrants } from './grants.ts';
import type { SessionRow } from './items.ts';
import type { Sessions } from './sessions.ts';
import type { Subscriber } from './subscriptions/rows.ts';
import type { Subscriptions } from './subscriptions/subscriptions.ts';
import { allowsTopic } from './subscriptions/watches.ts';

export interface RefreshOptions {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly sessions: Pick<Sessions, 'row'>;
  readonly subscriptions: Pick<Subscriptions, 'deleteUnlisted' | 'extend'>;
}

export type NewToken = Pick<VerifiedToken, 'expiresAt' | 'rights' | 'claims'>;

export interface Refreshed {
  /** The expiry that is stored now, in epoch milliseconds. */
  readonly tokenExpiresAt: number;
  /** The topics and watches that the new token does not allow. */
  readonly unsubscribed: readonly string[];
}

/** Gives a session the expiry, rights and claims of a new token. Resolves to `undefined` if the session has ended. */
export type RefreshSession = (
  identity: Identity,
  connectionId: string,
  token: NewToken,
) => Promise<Refreshed | undefined>;

export function createRefreshSession(options: RefreshOptions): RefreshSession {
  const { db, table, sessions, subscriptions } = options;

  /** Resolves to the new row, or to `undefined` if the session has ended or another refresh came first. */
  async function write(
    session: SessionRow,
    { expiresAt, ...grants }: NewToken,
    refused: readonly string[],
  ): Promise<SessionRow | undefined> {
    const { condition, values } = unchangedGrants(session);
    const removal = refused.length > 0 ? ' ADD leaving :refused DELETE topics :refused' : '';
    const update = new UpdateCommand({
      TableName: table,
      Key: { pk: session.pk, sk: session.sk },
      UpdateExpression: `SET tokenExpiresAt = :latest, grants = :granted${removal}`,
      ConditionExpression: `tokenExpiresAt = :read AND attribute_not_exists(endedAt) AND ${condition}`,
      ExpressionAttributeValues: {
        ...values,
        ':read': session.tokenExpiresAt,
        ':latest': expiresAt,
        ':granted': writeGrants(grants),
        ...(refused.length > 0 && { ':refused': new Set(refused) }),
      },
      ReturnValues: 'ALL_NEW',
    });
    return (await answerIfHeld(db.send(update)))?.Attributes as SessionRow | undefined;
  }

  /** Deletes the rows of the topics that left the list. The row remembers them, so a retry completes this. */
  async function finishLeaving(session: SessionRow, subscriber: Subscriber): Promise<readonly string[]> {
    const { pk, sk, topics = new Set(), leaving = new Set() } = session;
    if (leaving.size === 0) return [];
    await subscriptions.deleteUnlisted(subscriber, [...leaving]);
    const update = new UpdateCommand({
      TableName: table,
      Key: { pk, sk },
      UpdateExpression: 'DELETE leaving :leaving',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(endedAt)',
      ExpressionAttributeValues: { ':leaving': leaving },
    });
    await answerIfHeld(db.send(update));
    return [...leaving].filter((topic) => !topics.has(topic));
  }

  return async (identity, connectionId, token) => {
    let session = await sessions.row(identity, connectionId);
    for (;;) {
      if (!session || session.endedAt !== undefined) return undefined;
      // Rights never outlive the token that grants them. So a token that ends before the session gives it nothing.
      if (token.expiresAt < session.tokenExpiresAt) break;
      const refused = [...(session.topics ?? [])].filter((topic) => !allowsTopic(topic, token.rights));
      if (!changes(session, token) && refused.length === 0) break;
      // A topic that was added since the read is refused in the next round. The new rights let no further one in.
      session = (await write(session, token, refused)) ?? (await sessions.row(identity, connectionId));
    }
    const subscriber = { identity, connectionId };
    const unsubscribed = await finishLeaving(session, subscriber);
    // Also if nothing has changed: an earlier try may have failed after its first write.
    await subscriptions.extend(subscriber, session.topics ?? [], session.tokenExpiresAt);
    return { tokenExpiresAt: session.tokenExpiresAt, unsubscribed };
  };
}

function changes(session: SessionRow, token: NewToken): boolean {
  return token.expiresAt > session.tokenExpiresAt || session.grants !== writeGrants(token);
}
