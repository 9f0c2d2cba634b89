import * as z from 'zod/mini';
import {
  matchesAny,
  maxTopicsPerSession,
  maxWatchedPerFrame,
  Refusal,
  topicName,
  userName,
} from '../../protocol/index.ts';
import type { Asked, Watches } from '../presence/watch.ts';
import { defineProtocolListener, type Listener, requireSession } from './listener.ts';

export interface WatchParts {
  /** @default - the stack lacks the setting `presence` */
  readonly watches?: Watches | undefined;
}

const content = z.object({
  users: z._default(z.array(userName), []),
  topics: z._default(z.array(topicName), []),
});

/** The frames `watch` and `unwatch`. */
export function createWatchListeners({ watches }: WatchParts): readonly Listener[] {
  return [
    defineProtocolListener({
      type: 'watch',
      content,
      async handle({ content, from, watch: { patterns }, ...context }) {
        const { connectionId } = requireSession(context);
        const asked = checked(content);
        refuseForbidden(asked, patterns);
        const answer = await available(watches).watch({ identity: from, connectionId }, asked, patterns);
        if (answer === 'closed') throw Refusal.at('not_found', 'session', 'has been closed');
        if (answer === 'full') {
          const most = `the session has no room for more than ${maxTopicsPerSession} topics and watches`;
          throw Refusal.at('forbidden', 'content', most);
        }
        if (answer === 'forbidden')
          throw Refusal.at('forbidden', 'content', 'the token does not allow the watch any more');
        return answer;
      },
    }),
    defineProtocolListener({
      type: 'unwatch',
      content,
      async handle({ content, from, ...context }) {
        const { connectionId } = requireSession(context);
        const asked = checked(content);
        await available(watches).unwatch({ identity: from, connectionId }, asked);
        return asked;
      },
    }),
  ];
}

function checked({ users, topics }: Asked): Asked {
  const asked = { users: [...new Set(users)], topics: [...new Set(topics)] };
  const count = asked.users.length + asked.topics.length;
  if (count === 0) throw Refusal.at('bad_content', 'content', 'must name users or topics');
  if (count > maxWatchedPerFrame) {
    const most = `must name at most ${maxWatchedPerFrame} users and topics together, and names ${count}`;
    throw Refusal.at('bad_content', 'content', most);
  }
  return asked;
}

function refuseForbidden(asked: Asked, patterns: readonly string[]): void {
  for (const field of ['users', 'topics'] as const) {
    const at = asked[field].findIndex((name) => !matchesAny(name, patterns));
    const name = asked[field][at];
    if (name !== undefined) {
      const message = `the token does not allow to watch ${name}`;
      throw Refusal.at('forbidden', `content.${field}[${at}]`, message);
    }
  }
}

function available(watches: Watches | undefined): Watches {
  if (watches) return watches;
  throw Refusal.at('unknown_type', 'type', 'needs the setting presence, which is off');
}
