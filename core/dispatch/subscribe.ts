import * as z from 'zod/mini';
import { formatTarget, maxTopicsPerSession, Refusal, topicName } from '../../protocol/index.ts';
import { connectionOf, defineListener, type Listener } from './listener.ts';
import type { Recover } from '../log/recover.ts';
import { position, positionOf } from './recover.ts';
import type { Subscriptions } from '../sessions/subscriptions.ts';
import { isTopicAllowed } from '../auth/topic-patterns.ts';

const topic = { topic: topicName };

/** The frames `subscribe` and `unsubscribe`. */
export function createTopicListeners(subscriptions: Subscriptions, recover: Recover): readonly Listener[] {
  return [
    defineListener({
      type: 'subscribe',
      content: z.object({ ...topic, ...position }),
      async handle({ content: { topic, ...place }, from, ...context }) {
        const session = connectionOf(context);
        const asked = positionOf(place, 'content');
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
        // Only now: what is published from here on finds the subscription, and what was before stands in the log.
        const log = { tenant: from.tenant, channel: formatTarget({ kind: 'topic', topic }) };
        const [answer] = await recover(session.connectionId, [{ log, from: asked }]);
        return { topic, ...answer };
      },
    }),
    defineListener({
      type: 'unsubscribe',
      content: z.object(topic),
      async handle({ content: { topic }, from, ...context }) {
        await subscriptions.unsubscribe({ identity: from, ...connectionOf(context) }, topic);
        return { topic };
      },
    }),
  ];
}

function refused(message: string): Refusal {
  return new Refusal('forbidden', `content.topic: ${message}`, [{ field: 'content.topic', message }]);
}
