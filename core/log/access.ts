import {
  formatTarget,
  type Identity,
  matchesAny,
  parseChannel,
  Refusal,
  type Target,
} from '../../protocol/index.ts';

/** Who asks for a channel. */
export interface ChannelReader {
  readonly identity: Identity;
  /** Patterns of the topics that the token allows. */
  readonly topics: readonly string[];
}

export interface ReadableChannel {
  readonly kind: Target['kind'];
  /** As targets are named: `user:member:42`. */
  readonly name: string;
}

/**
 * The channel, if this user may read it: the user's own, its type's, everyone, and the topics of its token. `user` and
 * `type` stand for the user's own. Throws `forbidden` for any other; `field` names where the channel was given.
 */
export function readableChannel(text: string, reader: ChannelReader, field: string): ReadableChannel {
  const { userType, userId } = reader.identity;
  const own = formatTarget({ kind: 'user', userType, userId });
  const ofType = formatTarget({ kind: 'type', userType });
  if (text === 'user') return { kind: 'user', name: own };
  if (text === 'type') return { kind: 'type', name: ofType };
  const target = parseChannel(text, field, 'bad_content');
  const name = formatTarget(target);
  const isReadable =
    target.kind === 'topic'
      ? matchesAny(target.topic, reader.topics)
      : [own, ofType, 'everyone'].includes(name);
  if (isReadable) return { kind: target.kind, name };
  throw Refusal.at('forbidden', field, `the token gives no right to read ${name}`);
}
