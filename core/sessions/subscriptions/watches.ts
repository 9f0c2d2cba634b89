import { matchesAny } from '../../../protocol/index.ts';
import type { Rights } from '../../auth/verified-token.ts';

/** A user as `<type>:<id>`, or a topic, whose presence a session watches. */
export interface Watched {
  readonly kind: 'user' | 'topic';
  readonly name: string;
}

/**
 * A watch is a subscription to a topic of this name. So it ends with its session, and `refresh` takes it away. The name
 * of a client's own topic has no `~`.
 */
export function watchTopic({ kind, name }: Watched): string {
  return `~${kind}:${name}`;
}

/** Whether a topic of a session is a watch. */
export function isWatch(topic: string): boolean {
  return topic.startsWith('~');
}

/** Whether rights allow a subscription. A watch needs the right to watch. */
export function allowsTopic(topic: string, { topics, watch }: Pick<Rights, 'topics' | 'watch'>): boolean {
  return isWatch(topic) ? matchesAny(topic.slice(topic.indexOf(':') + 1), watch) : matchesAny(topic, topics);
}
