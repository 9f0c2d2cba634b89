import { defaultRetentionSeconds, formatTarget, type PublishRequest, Refusal } from '../../protocol/index.ts';
import { isTopicAllowed } from '../auth/topic-patterns.ts';

/** Where a message is kept, and for how long. */
export interface Durability {
  readonly channel: string;
  readonly ttlSeconds: number;
}

/**
 * Whether a publish is to be kept: where it says so, or where its topic matches a pattern of the stack's and it does not
 * say otherwise. Throws a `bad_request` for what a log cannot keep.
 */
export function durabilityOf(
  request: PublishRequest,
  durableTopics: readonly string[],
): Durability | undefined {
  const { to, durable, ttlSeconds, exclude } = request;
  const isMarked = to.some(
    (target) => target.kind === 'topic' && isTopicAllowed(target.topic, durableTopics),
  );
  if (!(durable ?? isMarked)) {
    if (ttlSeconds !== undefined) throw refused('ttlSeconds', 'needs durable: only such messages are kept');
    return undefined;
  }
  const [target, ...others] = to;
  if (target === undefined || others.length > 0 || target.kind === 'session') {
    throw refused(
      'durable',
      'needs exactly one target that keeps a log: a user, a type, a topic or everyone',
    );
  }
  // Whoever reads the log finds the message there, and whoever reads live would wait for it.
  if (exclude.length > 0)
    throw refused('exclude', 'must be empty with durable: the log is for all of the channel');
  return { channel: formatTarget(target), ttlSeconds: ttlSeconds ?? defaultRetentionSeconds };
}

function refused(field: string, message: string): Refusal {
  return new Refusal('bad_request', `${field}: ${message}`, [{ field, message }]);
}
