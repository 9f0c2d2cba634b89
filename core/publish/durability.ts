import {
  defaultRetentionSeconds,
  formatTarget,
  matchesAny,
  type PublishRequest,
  Refusal,
} from '../../protocol/index.ts';

/** The log that keeps a message, and for how long. */
export interface Durability {
  readonly channel: string;
  readonly ttlSeconds: number;
}

/**
 * A publish is durable if it says so. If it says nothing, it is durable if its topic matches a pattern of the stack.
 * Throws a `bad_request` if no log can keep the message as asked.
 */
export function durabilityOf(
  request: PublishRequest,
  durableTopics: readonly string[],
): Durability | undefined {
  const { to, durable, ttlSeconds, exclude, text } = request;
  // Bare text has no place for the fields of a log.
  if (text !== undefined) return undefined;
  const isMarked = to.some((target) => target.kind === 'topic' && matchesAny(target.topic, durableTopics));
  if (!(durable ?? isMarked)) {
    if (ttlSeconds !== undefined)
      throw Refusal.at('bad_request', 'ttlSeconds', 'needs durable: other messages are not kept');
    return undefined;
  }
  const [target, ...others] = to;
  if (target === undefined || others.length > 0 || target.kind === 'session') {
    throw Refusal.at(
      'bad_request',
      'durable',
      'needs exactly one target that keeps a log: a user, a type, a topic or everyone',
    );
  }
  // An excluded session would still find the message in the log.
  if (exclude.length > 0)
    throw Refusal.at(
      'bad_request',
      'exclude',
      'must be empty with durable: all of the channel reads the log',
    );
  return { channel: formatTarget(target), ttlSeconds: ttlSeconds ?? defaultRetentionSeconds };
}
