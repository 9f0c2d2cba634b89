import type { AnyMessages, AnyRequests, Client, Exchange, SendOptions } from './client.ts';
import { SwitchboardError } from './errors.ts';
import { createInbox } from './inbox.ts';
import { type Options, readOptions } from './options.ts';
import { openSession } from './session.ts';
import { readWithHandler, readWithLoop, type TopicHandler } from './topic-reading.ts';

/** Connects, and stays connected until `close()` or until the server says that it is over. */
export function connect<
  Messages extends object = AnyMessages,
  Requests extends { [Type in keyof Requests]: Exchange } = AnyRequests,
>(options: Options): Client<Messages, Requests> {
  const settings = readOptions(options);
  const { emitter, lifecycle, outbox, subscriptions } = openSession(settings);

  const send = (type: string, content?: unknown, options?: SendOptions) =>
    outbox.send(type, content, options?.retry);
  const client = {
    get status() {
      return lifecycle.status;
    },
    inbox: createInbox(outbox, emitter),
    on: emitter.on,
    once: (name: string, handler: () => void) => emitter.on(name, handler, true),
    off: emitter.off,
    send,
    request: send,
    subscribe: (topic: string, handler?: TopicHandler) =>
      handler
        ? readWithHandler(subscriptions, topic, handler)
        : readWithLoop(subscriptions, topic, settings.bufferLimit),
    close: () => lifecycle.finish(new SwitchboardError('closed', 'closed'), false),
  };
  // The maps are the caller's word on what the server sends and answers; nothing of them is left at run time.
  return client as unknown as Client<Messages, Requests>;
}
