import { maxTopicsPerSession } from '../../protocol/limits.ts';
import type { Unsubscribe } from '../client.ts';
import { createAlarm } from '../clock.ts';
import { isPassing, SwitchboardError } from '../errors.ts';
import { type Frame, hasPosition, messagesIn, topicPrefix } from '../frames.ts';
import type { Connection } from '../connection/connection.ts';
import type { Asking } from '../channels/recovery.ts';

/** One reader of a topic: a handler or a loop. */
export interface TopicReader {
  readonly deliver: (frame: Frame) => void;
  /** The subscription was refused or has ended. */
  readonly end: (error: SwitchboardError) => void;
}

/** The topics of this client, across its connections. */
export interface Subscriptions {
  /** Subscribes for the first reader of a topic. The returned function unsubscribes after the last reader. */
  readonly add: (name: string, reader: TopicReader) => Unsubscribe;
  readonly deliver: (frame: Frame) => void;
  /** Subscribes to every topic that this connection does not carry yet. */
  readonly restore: (connection: Connection) => Promise<void>;
  /** Ends the subscription to a topic, as if the server had refused it. */
  readonly forbid: (name: string) => void;
  /** Forgets a connection that has ended. */
  readonly drop: (connection: Connection) => void;
  readonly end: (error: SwitchboardError) => void;
}

export interface SubscriptionsSettings extends Asking {
  /** Why the client is closed. */
  readonly closeReason: () => SwitchboardError | undefined;
}

interface Topic {
  readonly name: string;
  readonly channel: string;
  readonly readers: Set<TopicReader>;
  /** The connections that carry the topic, or have asked for it. */
  readonly via: Set<Connection>;
  readonly ready: Promise<void>;
  readonly settle: (reason?: SwitchboardError) => void;
}

const retryMs = 5000;

export function createSubscriptions(settings: SubscriptionsSettings): Subscriptions {
  const { clock, requests, channels, connection, onError, closeReason } = settings;
  /** By channel. */
  const topics = new Map<string, Topic>();
  /** The last request for a topic, by channel. Requests take turns: the server may finish the later of two first. */
  const requested = new Map<string, Promise<unknown>>();
  let leaving: Promise<unknown> = Promise.resolve();
  const alarm = createAlarm(clock);

  async function restore(on: Connection): Promise<void> {
    const missing = [...topics.values()].filter(({ via }) => !via.has(on));
    await Promise.all(
      missing.map((topic) => {
        topic.via.add(on);
        const turn = () => inTurn(topic, () => subscribe(on, topic));
        // Above half the limit of topics, pending unsubscribes go first to make room.
        return topics.size > maxTopicsPerSession / 2 ? leaving.then(turn) : turn();
      }),
    );
  }

  async function inTurn({ channel }: Topic, run: () => Promise<unknown>): Promise<void> {
    const turn = (requested.get(channel) ?? Promise.resolve()).then(run);
    requested.set(channel, turn);
    await turn;
    if (requested.get(channel) === turn) requested.delete(channel);
  }

  function isWanted(topic: Topic): boolean {
    return topics.get(topic.channel) === topic;
  }

  async function subscribe(on: Connection, topic: Topic): Promise<void> {
    if (!isWanted(topic)) return;
    const { channel, name } = topic;
    const release = channels.hold();
    const position = channels.get(channel)?.position;
    const { error, content } = await requests.ask(on, 'subscribe', { topic: name, ...position, messagesIn });
    if (isWanted(topic)) {
      if (error) refused(topic, error, on);
      else {
        if (hasPosition(content)) channels.answer(channel, content, true);
        topic.settle();
      }
    }
    release();
  }

  /** Without `on`, no later request for the topic can succeed. */
  function refused(topic: Topic, reason: SwitchboardError, on?: Connection): void {
    if (reason.code === 'disconnected') return;
    if (on && isPassing(reason)) {
      topic.via.delete(on);
      alarm.set(retryMs * (1 + clock.random()), restoreCurrent);
    } else {
      forget(topic);
      end(topic, reason);
    }
    onError(reason);
  }

  function restoreCurrent(): void {
    const on = connection();
    if (on) void restore(on);
  }

  function forget({ channel }: Topic): void {
    topics.delete(channel);
    channels.forget(channel);
  }

  function remove(topic: Topic, reader: TopicReader): void {
    topic.readers.delete(reader);
    if (topic.readers.size > 0 || !isWanted(topic)) return;
    forget(topic);
    topic.settle(new SwitchboardError('closed'));
    for (const on of topic.via) {
      const turn = inTurn(topic, () => requests.ask(on, 'unsubscribe', { topic: topic.name }));
      leaving = leaving.then(() => turn);
    }
  }

  return {
    add(name, reader) {
      const reason = closeReason();
      const topic = topics.get(topicPrefix + name) ?? createTopic(name);
      topic.readers.add(reader);
      if (reason) end(topic, reason);
      else topics.set(topic.channel, topic);
      restoreCurrent();
      return Object.assign(() => remove(topic, reader), { ready: topic.ready });
    },
    deliver(frame) {
      const readers = topics.get(frame.channel ?? '')?.readers;
      // A copy, so that a reader added now does not get this message. `has` skips a reader removed now.
      for (const reader of [...(readers ?? [])]) if (readers?.has(reader)) reader.deliver(frame);
    },
    restore,
    forbid(name) {
      const topic = topics.get(topicPrefix + name);
      if (topic) refused(topic, new SwitchboardError('forbidden', name));
    },
    drop(on) {
      for (const { via } of topics.values()) via.delete(on);
    },
    end(reason) {
      alarm.stop();
      const ending = [...topics.values()];
      topics.clear();
      for (const topic of ending) end(topic, reason);
    },
  };
}

function createTopic(name: string): Topic {
  let settle: Topic['settle'] = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    settle = (reason) => (reason ? reject(reason) : resolve());
  });
  // An ignored `ready` must not be an unhandled rejection: the `error` event or the loop reports the refusal too.
  ready.catch(() => undefined);
  return { name, channel: topicPrefix + name, readers: new Set(), via: new Set(), ready, settle };
}

function end(topic: Topic, reason: SwitchboardError): void {
  topic.settle(reason);
  for (const reader of topic.readers) reader.end(reason);
}
