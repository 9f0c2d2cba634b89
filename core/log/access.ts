import {
  type ErrorDetail,
  formatTarget,
  type Identity,
  parseChannel,
  Refusal,
} from '../../protocol/index.ts';
import { isTopicAllowed } from '../auth/topic-patterns.ts';

/** Who asks for a channel. */
export interface Reader {
  readonly identity: Identity;
  /** Patterns of the topics its token lets it subscribe to. */
  readonly topics: readonly string[];
}

/**
 * The channel as targets name it, where this user may read it: the user's own, its type's, everyone, and the topics of
 * its token. `user` and `type` stand for its own. Throws `forbidden` for every other; `field` is where the name stood.
 */
export function channelFor(text: string, { identity, topics }: Reader, field: string): string {
  const { userType, userId } = identity;
  const own = formatTarget({ kind: 'user', userType, userId });
  const ofType = formatTarget({ kind: 'type', userType });
  if (text === 'user') return own;
  if (text === 'type') return ofType;
  const target = parseChannel(text, field, 'bad_content');
  const channel = formatTarget(target);
  const isReadable =
    target.kind === 'topic'
      ? isTopicAllowed(target.topic, topics)
      : [own, ofType, 'everyone'].includes(channel);
  if (isReadable) return channel;
  const detail: ErrorDetail = { field, message: `the token gives no right to read ${channel}` };
  throw new Refusal('forbidden', `${field}: ${detail.message}`, [detail]);
}
