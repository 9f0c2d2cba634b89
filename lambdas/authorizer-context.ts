import type { Identity } from '../protocol/index.ts';
import type { VerifiedToken } from '../core/auth/tokens.ts';

/**
 * What the authorizer learns of a connection and API Gateway hands to every later event of it, so that a message
 * needs no read. Strings only: numbers and booleans arrive as strings anyway, lists and objects fail the handshake
 * (API Gateway, output of a Lambda authorizer).
 */
export interface AuthorizerContext {
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: string;
  /** Patterns, joined by spaces: no pattern holds one. */
  readonly topics: string;
}

/** What is known of a connection from its token. `tokenExpiresAt` in epoch milliseconds. */
export interface Connection {
  readonly identity: Identity;
  readonly tokenExpiresAt: number;
  /** Patterns of the topics this user may subscribe to. */
  readonly topics: readonly string[];
}

export function contextOf({
  identity,
  expiresAt,
  topics,
}: VerifiedToken): AuthorizerContext & Record<string, string> {
  const { tenant, userType, userId } = identity;
  return { tenant, userType, userId, tokenExpiresAt: String(expiresAt), topics: topics.join(' ') };
}

export function connectionOf({
  tenant,
  userType,
  userId,
  tokenExpiresAt,
  topics,
}: AuthorizerContext): Connection {
  return {
    identity: { tenant, userType, userId },
    tokenExpiresAt: Number(tokenExpiresAt),
    topics: topics === '' ? [] : topics.split(' '),
  };
}
