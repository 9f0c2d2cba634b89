import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod/mini';
import { type Identity, Refusal } from '../../protocol/index.ts';
import { connectionOf, defineListener, type Listener } from './listener.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { TokenVerdict } from '../auth/tokens.ts';

export interface RefreshOptions {
  readonly verify: (jwt: string) => Promise<TokenVerdict>;
  readonly sessions: Pick<Sessions, 'refresh'>;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * The frame `refresh`: a new token of the same user lets the session live on. The topics that the session may subscribe
 * to stay those of the token it connected with, which the platform hands over with every frame.
 */
export function createRefreshListener({ verify, sessions, log }: RefreshOptions): Listener {
  return defineListener({
    type: 'refresh',
    content: z.object({ token: z.string() }),
    async handle({ content, from, ...context }) {
      const { connectionId } = connectionOf(context);
      const verdict = await verify(content.token);
      if (!verdict.ok) {
        log.warn('refresh refused', { connectionId, reason: verdict.reason });
        throw refused('is not valid');
      }
      if (!isSame(verdict.token.identity, from)) {
        log.warn('refresh refused', { connectionId, reason: 'token of another user' });
        throw refused('is not of the user of this session');
      }
      const tokenExpiresAt = await sessions.refresh(from, connectionId, verdict.token.expiresAt);
      if (tokenExpiresAt === undefined) throw new Refusal('not_found', 'session: has been closed');
      return { tokenExpiresAt };
    },
  });
}

function isSame(a: Identity, b: Identity): boolean {
  return a.tenant === b.tenant && a.userType === b.userType && a.userId === b.userId;
}

function refused(message: string): Refusal {
  return new Refusal('forbidden', `content.token: ${message}`, [{ field: 'content.token', message }]);
}
