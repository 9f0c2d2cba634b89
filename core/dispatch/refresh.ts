import * as z from 'zod/mini';
import { type Identity, Refusal } from '../../protocol/index.ts';
import type { VerifyToken } from '../auth/verified-token.ts';
import type { RefreshSession } from '../sessions/refresh.ts';
import { defineProtocolListener, type Listener, requireSession } from './listener.ts';

export interface RefreshParts {
  readonly verify: VerifyToken;
  readonly refreshSession: RefreshSession;
  readonly logger: { readonly warn: (message: string, fields: Record<string, unknown>) => void };
}

/**
 * The frame `refresh`: a new token of the same user prolongs the session. Its rights and claims take the place of the
 * earlier ones, and subscriptions that it does not allow end.
 */
export function createRefreshListener({ verify, refreshSession, logger }: RefreshParts): Listener {
  return defineProtocolListener({
    type: 'refresh',
    content: z.object({ token: z.string() }),
    async handle({ content, from, ...context }) {
      const { connectionId } = requireSession(context);
      const verdict = await verify(content.token);
      if (!verdict.ok) {
        logger.warn('refresh refused', { connectionId, reason: verdict.reason });
        throw Refusal.at('forbidden', 'content.token', 'is not valid');
      }
      if (!isSameUser(verdict.token.identity, from)) {
        logger.warn('refresh refused', { connectionId, reason: 'token of another user' });
        throw Refusal.at('forbidden', 'content.token', 'is not of the user of this session');
      }
      const refreshed = await refreshSession(from, connectionId, verdict.token);
      if (!refreshed) throw Refusal.at('not_found', 'session', 'has been closed');
      const { tokenExpiresAt, unsubscribed } = refreshed;
      return { tokenExpiresAt, ...(unsubscribed.length > 0 && { unsubscribed }) };
    },
  });
}

function isSameUser(a: Identity, b: Identity): boolean {
  return a.tenant === b.tenant && a.userType === b.userType && a.userId === b.userId;
}
