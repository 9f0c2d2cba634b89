import { defineListener, Refusal } from 'switchboard/listener';
import { topicName } from 'switchboard/protocol';
import * as z from 'zod/mini';

export default [
  /**
   * Publishes to a topic that the sender's token allows, so to all who subscribe to it, on whatever connection. The
   * token's claim `send` says who may publish at all.
   */
  defineListener({
    type: 'topic-publish',
    content: z.object({ topic: topicName, message: z.unknown() }),
    handle({ content: { topic, message = null }, topics, send }) {
      if (!topics.allows(topic))
        throw new Refusal('forbidden', 'content.topic: is not among the topics of the token');
      return send(`topic:${topic}`, 'topic-message', message);
    },
  }),
];
