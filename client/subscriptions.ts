import type { Unsubscribe } from './client.ts';
import { createAlarm } from './clock.ts';
import { isPassing, type SwitchboardError } from './errors.ts';
import { type Frame, isAnswer, topicPrefix } from './frames.ts';
import type { Link } from './link.ts';
import type { Asking, Recovery } from './recovery.ts';

/** One reader of a topic: a handler, or a loop. */
export interface TopicReader {
  readonly deliver: (frame: Frame) => void;
  /** It will not come to pass, or is over. */
  readonly end: (error: SwitchboardError) => void;
}

/** The topics of this client, whatever connection carries them. */
export interface Subscriptions {
  /** Subscribes with the first reader of a topic; the function it returns unsubscribes with the last. */
  readonly add: (name: string, reader: TopicReader) => Unsubscribe;
  readonly deliver: (frame: Frame) => void;
  /** Subscribes, on this connection, to every topic that is not subscribed to there. */
  readonly restore: (link: Link) => Promise<void>;
  /** The connection is gone. */
  readonly drop: (link: Link) => void;
  readonly end: (error: SwitchboardError) => void;
}

export interface SubscriptionsSettings extends Asking {
  /** Why nothing can be subscribed to any more. */
  readonly over: () => SwitchboardError | undefined;
}

interface Topic {
  readonly readers: Set<TopicReader>;
  /** The connections that carry it, or are about to. */
  readonly links: Set<Link>;
  readonly ready: Promise<void>;
  readonly settle: (reason?: SwitchboardError) => void;
}

const retryMs = 5000;

export function createSubscriptions(settings: SubscriptionsSettings, recovery: Recovery): Subscriptions {
  const { clock, requests, channels, link, onError, over } = settings;
  const topics = new Map<string, Topic>();
  /** The last request for each topic: of two at once the server may finish the later one first. */
  const requested = new Map<string, Promise<unknown>>();
  const alarm = createAlarm(clock);

  async function restore(on: Link): Promise<void> {
    const missing = [...topics].filter(([, topic]) => !topic.links.has(on));
    await Promise.all(
      missing.map(([name, topic]) => {
        topic.links.add(on);
        return inTurn(name, () => subscribe(on, name, topic));
      }),
    );
    await recovery.run(on);
  }

  async function inTurn(name: string, run: () => Promise<unknown>): Promise<void> {
    const turn = (requested.get(name) ?? Promise.resolve()).then(run);
    requested.set(name, turn);
    await turn;
    if (requested.get(name) === turn) requested.delete(name);
  }

  async function subscribe(on: Link, name: string, topic: Topic): Promise<void> {
    if (topics.get(name) !== topic) return;
    const channel = topicPrefix + name;
    const position = channels.get(channel)?.position;
    const release = channels.hold();
    const answer = await requests.ask(on, 'subscribe', { topic: name, ...position });
    const isWanted = topics.get(name) === topic;
    if (isWanted && 'content' in answer && isAnswer(answer.content)) {
      channels.answer(channel, answer.content);
    }
    release();
    if (!isWanted) return;
    if ('error' in answer) {
      refused(on, name, topic, answer.error);
      return;
    }
    topic.settle();
  }

  function refused(on: Link, name: string, topic: Topic, reason: SwitchboardError): void {
    if (reason.code === 'disconnected') return;
    if (isPassing(reason)) {
      topic.links.delete(on);
      alarm.set(retryMs * (1 + clock.random()), restoreCurrent);
    } else {
      forget(name);
      end(topic, reason);
    }
    onError(reason);
  }

  function restoreCurrent(): void {
    const on = link();
    if (on) void restore(on);
  }

  function forget(name: string): void {
    topics.delete(name);
    channels.forget(topicPrefix + name);
  }

  function remove(name: string, topic: Topic, reader: TopicReader): void {
    topic.readers.delete(reader);
    if (topic.readers.size > 0 || topics.get(name) !== topic) return;
    forget(name);
    for (const on of topic.links) void inTurn(name, () => requests.ask(on, 'unsubscribe', { topic: name }));
  }

  return {
    add(name, reader) {
      const reason = over();
      const topic = topics.get(name) ?? createTopic();
      topic.readers.add(reader);
      if (reason) end(topic, reason);
      else topics.set(name, topic);
      restoreCurrent();
      return Object.assign(() => remove(name, topic, reader), { ready: topic.ready });
    },
    deliver(frame) {
      // A topic's name may hold no colon, so that this is its channel and no other's.
      const [kind, name = ''] = frame.channel?.split(':') ?? [];
      const topic = kind === 'topic' ? topics.get(name) : undefined;
      for (const reader of topic?.readers ?? []) reader.deliver(frame);
    },
    restore,
    drop(on) {
      for (const { links } of topics.values()) links.delete(on);
    },
    end(reason) {
      alarm.stop();
      const ending = [...topics.values()];
      topics.clear();
      for (const topic of ending) end(topic, reason);
    },
  };
}

function createTopic(): Topic {
  let settle: Topic['settle'] = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    settle = (reason) => (reason ? reject(reason) : resolve());
  });
  // Whoever does not look at it learns of a refusal by the `error` event, or in the loop.
  ready.catch(() => undefined);
  return { readers: new Set(), links: new Set(), ready, settle };
}

function end(topic: Topic, reason: SwitchboardError): void {
  topic.settle(reason);
  for (const reader of topic.readers) reader.end(reason);
}
