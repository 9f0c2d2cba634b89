import * as z from 'zod/mini';
import { type Identity, Refusal } from '../../protocol/index.ts';
import type { VerifyToken } from '../auth/verified-token.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { defineProtocolListener, type Listener, requireSession } from './listener.ts';

export interface RefreshParts {
  readonly verify: VerifyToken;
  readonly sessions: Pick<Sessions, 'refresh'>;
  readonly logger: { readonly warn: (message: string, fields: Record<string, unknown>) => void };
}

/**
 * The frame `refresh`: a new token of the same user prolongs the session. The topics that the session may subscribe to
 * stay those of the handshake, because API Gateway repeats the handshake's context with every frame.
 */
export function createRefreshListener({ verify, sessions, logger }: RefreshParts): Listener {
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
      const tokenExpiresAt = await sessions.refresh(from, connectionId, verdict.token.expiresAt);
      if (tokenExpiresAt === undefined) throw Refusal.at('not_found', 'session', 'has been closed');
      return { tokenExpiresAt };
    },
  });
}

function isSameUser(a: Identity, b: Identity): boolean {
  return a.tenant === b.tenant && a.userType === b.userType && a.userId === b.userId;
}
