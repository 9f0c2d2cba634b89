import type { Logger } from '@aws-lambda-powertools/logger';
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { connectionLifetimeMs, type Identity } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { type CheckQueue, delayUntil } from './check-queue.ts';
import { closings } from './closings.ts';
import { isOpen, type SessionRow, userKey } from './items.ts';
import { isRevokedBy, type RevocationRow } from './revocations.ts';
import type { Seen } from './seen.ts';
import type { NewSession, Sessions } from './sessions.ts';

export interface OpenSessionOptions {
  readonly db: DynamoDBDocumentClient;
  /** The name of the sessions table. */
  readonly table: string;
  readonly sessions: Pick<Sessions, 'add' | 'markEnded' | 'remove'>;
  readonly checks: CheckQueue;
  readonly seen: Pick<Seen, 'note'>;
  readonly maxSessionsPerUser: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** `revoked`: the token was revoked. `ended`: the session was closed before its handshake was done. */
export type Opening = 'open' | 'revoked' | 'ended';

/** The seconds before a surplus session is closed. Its own handshake may still run. */
const surplusDelaySeconds = 1;

/**
 * Opens the session of a connection. Its row is written first, and then the rows of its user are read. A revocation is
 * written before sessions are listed. So this read finds the revocation, or that list finds this session.
 */
export function createOpenSession(options: OpenSessionOptions) {
  const { db, table, sessions, checks, seen, maxSessionsPerUser, clock, logger } = options;

  async function rowsOf(user: Identity): Promise<readonly (SessionRow | RevocationRow)[]> {
    const rows: (SessionRow | RevocationRow)[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const { Items, LastEvaluatedKey } = await db.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :user',
          ExpressionAttributeValues: { ':user': userKey(user) },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      );
      rows.push(...((Items ?? []) as (SessionRow | RevocationRow)[]));
      from = LastEvaluatedKey;
    } while (from);
    return rows;
  }

  /** Has the session looked at when its token expires. API Gateway ends every connection after two hours. */
  async function watch(session: NewSession): Promise<void> {
    const { connectedAt, tokenExpiresAt } = session;
    if (tokenExpiresAt >= connectedAt + connectionLifetimeMs) return;
    const delaySeconds = delayUntil(tokenExpiresAt, clock.now());
    try {
      await checks.send([{ check: keyOf(session, session.connectionId), delaySeconds }]);
    } catch (cause) {
      // No frame is handled after the expiry, with or without this check. So the connection may open.
      logger.error('expiry is not watched', { connectionId: session.connectionId, cause });
    }
  }

  /** Removes the row of a handshake that fails. Otherwise it would count as a session, and older ones would end for it. */
  async function removeFailed(session: NewSession): Promise<void> {
    const { connectionId } = session;
    try {
      await sessions.remove(session, connectionId);
    } catch (cause) {
      // Its TTL ends the row, or the 410 of a publish.
      logger.error('row of a failed handshake was not removed', { connectionId, cause });
    }
  }

  /** Ends the oldest sessions above the maximum. */
  async function endSurplus(user: Identity, open: readonly SessionRow[]): Promise<void> {
    const surplus = [...open].sort(newestFirst).slice(maxSessionsPerUser);
    if (surplus.length === 0) return;
    const code = 'too_many_sessions';
    const ids = surplus.map(({ sk }) => sk);
    try {
      // The queue comes first: a session that is marked and not in the queue would be closed by nobody.
      await checks.send(
        ids.map((id) => ({ check: { ...keyOf(user, id), code }, delaySeconds: surplusDelaySeconds })),
      );
      await Promise.all(ids.map((id) => sessions.markEnded(user, id, closings[code])));
    } catch (cause) {
      // The next session of the user tries again.
      logger.error('surplus sessions were not ended', { connectionIds: ids, cause });
    }
  }

  async function judge(session: NewSession, tokenIssuedAt: number | undefined): Promise<Opening> {
    const { connectionId } = session;
    const rows = await rowsOf(session);
    const revocation = rows.find((row) => 'revokedAt' in row);
    if (isRevokedBy(revocation, tokenIssuedAt)) {
      // A lifecycle target is told of this end too.
      await sessions.markEnded(session, connectionId, closings.revoked);
      await sessions.remove(session, connectionId);
      return 'revoked';
    }
    const open = rows.filter((row) => !('revokedAt' in row) && isOpen(row, clock.now())) as SessionRow[];
    if (!open.some(({ sk }) => sk === connectionId)) return 'ended';
    await endSurplus(session, open);
    return 'open';
  }

  return async (session: NewSession, tokenIssuedAt: number | undefined): Promise<Opening> => {
    try {
      // The queue may be slow. The rows are read after it, because a close waits only seconds for a handshake.
      const { tenant, userType } = session;
      const names = [undefined, { kind: 'type', userType } as const];
      await Promise.all([sessions.add(session), watch(session), seen.note(tenant, names)]);
      return await judge(session, tokenIssuedAt);
    } catch (cause) {
      await removeFailed(session);
      throw cause;
    }
  };
}

function keyOf({ tenant, userType, userId }: Identity, connectionId: string) {
  return { tenant, userType, userId, connectionId };
}

/** A total order, so that handshakes at the same time agree on the oldest sessions. */
function newestFirst(a: SessionRow, b: SessionRow): number {
  return b.connectedAt - a.connectedAt || (a.sk < b.sk ? 1 : -1);
}
