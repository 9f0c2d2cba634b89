import type { Subscription, Unsubscribe } from '../client.ts';
import { guard } from '../emitter.ts';
import type { Frame } from '../frames.ts';
import { createStream } from './stream.ts';
import type { Subscriptions } from './subscriptions.ts';

export type TopicHandler = (content: unknown, frame: Frame) => void;

/** Reads a topic with a handler, until the returned function is called. */
export function readWithHandler({ add }: Subscriptions, topic: string, handler: TopicHandler): Unsubscribe {
  return add(topic, {
    deliver: (frame) => guard(() => handler(frame.content, frame)),
    end: () => undefined,
  });
}

/** Reads a topic with a loop, until the loop ends. */
export function readWithLoop({ add }: Subscriptions, topic: string, limit: number): Subscription<unknown> {
  let leave = (): void => undefined;
  const stream = createStream<unknown>(limit, () => leave());
  const unsubscribe = add(topic, {
    deliver: ({ content }) => stream.push(content),
    end: (error) => stream.end(error.code === 'closed' ? undefined : error),
  });
  // Assigned only now: on a closed client, `add` has already ended the stream.
  leave = unsubscribe;
  return {
    ready: unsubscribe.ready,
    unsubscribe: () => stream.end(),
    [Symbol.asyncIterator]: () => stream.items,
  };
}
