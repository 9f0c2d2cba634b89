import * as z from 'zod/mini';
import { maxTopicsPerSession, Refusal, topicName } from '../protocol/index.ts';
import { defineListener, type Listener } from './listener.ts';
import type { Subscriptions } from './subscriptions.ts';
import { isTopicAllowed } from './topic-patterns.ts';

const content = z.object({ topic: topicName });

/** The frames `subscribe` and `unsubscribe`. */
export function createTopicListeners(subscriptions: Subscriptions): readonly Listener[] {
  return [
    defineListener({
      type: 'subscribe',
      content,
      async handle({ content: { topic }, from, session }) {
        if (!isTopicAllowed(topic, session.topics)) {
          throw refused(`the token allows no subscription to ${topic}`);
        }
        const outcome = await subscriptions.subscribe({ identity: from, ...session }, topic);
        if (outcome === 'full') {
          throw refused(
            `a session may be subscribed to ${String(maxTopicsPerSession)} topics, and this one is`,
          );
        }
        if (outcome === 'closed') throw new Refusal('not_found', 'session: has been closed');
        // No log, so no position in one; and nothing was missed that this subscription promised.
        return { topic, epoch: '', offset: 0, recovered: true };
      },
    }),
    defineListener({
      type: 'unsubscribe',
      content,
      async handle({ content: { topic }, from, session }) {
        await subscriptions.unsubscribe({ identity: from, ...session }, topic);
        return { topic };
      },
    }),
  ];
}

function refused(message: string): Refusal {
  return new Refusal('forbidden', `content.topic: ${message}`, [{ field: 'content.topic', message }]);
}
