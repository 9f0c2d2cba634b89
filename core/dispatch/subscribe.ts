import * as z from 'zod/mini';
import {
  formatTarget,
  maxTopicsPerSession,
  type Recovery,
  Refusal,
  topicName,
} from '../../protocol/index.ts';
import type { Recover } from '../log/recover.ts';
import type { Seen } from '../sessions/seen.ts';
import type { Subscriptions } from '../sessions/subscriptions/subscriptions.ts';
import { defineProtocolListener, type Listener, requireSession } from './listener.ts';
import { messagesInField, positionFields, positionOf } from './position.ts';

export interface SubscribeParts {
  readonly subscriptions: Subscriptions;
  readonly recover: Recover;
  readonly seen: Pick<Seen, 'note'>;
}

/** The frames `subscribe` and `unsubscribe`. */
export function createSubscribeListeners({
  subscriptions,
  recover,
  seen,
}: SubscribeParts): readonly Listener[] {
  return [
    defineProtocolListener({
      type: 'subscribe',
      content: z.object({ topic: topicName, ...positionFields, ...messagesInField }),
      async handle({ content: { topic, messagesIn, ...fields }, from, topics, ...context }, isText) {
        const { contentAs } = context;
        const session = { identity: from, connectionId: requireSession(context).connectionId, contentAs };
        const position = positionOf(fields, 'content');
        const outcome = await subscriptions.subscribe(session, topic, topics.patterns);
        if (outcome === 'forbidden') throw forbidden(`the token allows no subscription to ${topic}`);
        if (outcome === 'full')
          throw forbidden(`the session has ${maxTopicsPerSession} topics, the most allowed`);
        if (outcome === 'closed') throw Refusal.at('not_found', 'session', 'has been closed');
        // The log is read after the subscription is written. Later messages find the subscription, earlier ones are
        // in the log.
        const log = { tenant: from.tenant, channel: formatTarget({ kind: 'topic', topic }) };
        const contentOf = ([answer]: readonly Recovery[]) => ({ topic, ...answer });
        const ack = messagesIn && { contentOf, isText: isText || contentAs === 'text' };
        const [answers] = await Promise.all([
          recover(session, [{ log, from: position }], { ack }),
          seen.note(from.tenant, [{ kind: 'topic', topic }]),
        ]);
        return contentOf(answers);
      },
    }),
    defineProtocolListener({
      type: 'unsubscribe',
      content: z.object({ topic: topicName }),
      async handle({ content: { topic }, from, ...context }) {
        await subscriptions.unsubscribe({ identity: from, ...requireSession(context) }, topic);
        return { topic };
      },
    }),
  ];
}

function forbidden(message: string): Refusal {
  return Refusal.at('forbidden', 'content.topic', message);
}
