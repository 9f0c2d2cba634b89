import type { Identity } from '../../protocol/index.ts';
import type { VerifiedToken } from '../../core/auth/tokens.ts';

/**
 * The authorizer returns this, and API Gateway repeats it in every later event of the connection. So a message needs no
 * read. All values are strings: numbers and booleans arrive as strings, and a list or an object fails the handshake
 * (API Gateway, output of a Lambda authorizer).
 */
export interface AuthorizerContext {
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: string;
  /** Patterns, separated by spaces. No pattern holds a space. */
  readonly topics: string;
}

/** The identity and rights behind a connection. `tokenExpiresAt` in epoch milliseconds. */
export interface Connection {
  readonly identity: Identity;
  readonly tokenExpiresAt: number;
  /** Patterns of the topics this user may subscribe to. */
  readonly topics: readonly string[];
}

export function authorizerContext({
  identity,
  expiresAt,
  topics,
}: VerifiedToken): AuthorizerContext & Record<string, string> {
  const { tenant, userType, userId } = identity;
  return { tenant, userType, userId, tokenExpiresAt: String(expiresAt), topics: topics.join(' ') };
}

export function readConnection({
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
