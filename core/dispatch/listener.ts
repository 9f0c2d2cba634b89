import type * as z from 'zod/mini';
import {
  type Identity,
  matchesAny,
  parseWith,
  type PublishAnswer,
  Refusal,
  refuseTooDeep,
  type UserPresence,
} from '../../protocol/index.ts';
import type { Claims } from '../auth/verified-token.ts';
import type { ContentAs } from '../content-form.ts';
import type { Requirements } from './rights.ts';

/** The context that a listener gets with each message. */
export interface ListenerContext<Content> {
  /** The frame's content, as the listener's schema returns it. */
  readonly content: Content;
  /** The user who sent it, by the token of the connection or of the request. */
  readonly from: ListenerSender;
  /** The connection it came on. `undefined`: it came by `POST /messages`. */
  readonly session: ListenerSession | undefined;
  /** The topics that the sender's token allows. */
  readonly topics: TopicRights;
  /** The users, as `<type>:<id>`, and topics whose presence the sender's token allows to watch. */
  readonly watch: TopicRights;
  /** Who is online, in the sender's tenant. */
  readonly presence: ListenerPresence;
  /** Sends a frame to the session that sent this message. By `POST /messages`: to all sessions of the user. */
  readonly reply: (type: string, content: unknown) => Promise<PublishAnswer>;
  /**
   * Publishes within the sender's tenant. Receivers see the sender in `from`.
   * `to` is a target such as `user:member:42`, or up to 100 of them.
   */
  readonly send: (
    to: string | readonly string[],
    type: string,
    content: unknown,
    options?: SendOptions,
  ) => Promise<PublishAnswer>;
  /** Who is online in the sender's tenant. */
  readonly sessions: OnlineSessions;
  /**
   * Publishes bare text within the sender's tenant, for front ends that take no frames. Receivers get exactly this text.
   * It is never durable.
   */
  readonly sendText: (to: string | readonly string[], text: string) => Promise<PublishAnswer>;
  /**
   * The form of content in every frame to the sender, as its token says.
   * @default - answers have the form of the frame
   */
  readonly contentAs?: ContentAs | undefined;
  /** Writes to the function's log. Each line carries the message type and the connection id. */
  readonly log: ListenerLog;
}

/** The user behind a message. */
export interface ListenerSender extends Identity {
  /**
   * The claims of the token that the setting `claims` names, as text. Receivers never see them.
   * @default - the token has none of them
   */
  readonly claims?: Claims;
}

export interface OnlineSessions {
  /**
   * The number of open sessions behind a target such as `type:agent`. Types, topics and everyone are counted by reading
   * their rows: a read unit for about 40 sessions, and one request to DynamoDB for each shard.
   */
  readonly count: (target: string) => Promise<number>;
}

/** As in the body of `POST /publish`. */
export interface SendOptions {
  /** Stored in the channel's log before it is delivered, for users who are away. */
  readonly durable?: boolean | undefined;
  readonly ttlSeconds?: number | undefined;
  /** A UUID. The same message with the same id is published once in 24 hours, so a retry is safe. */
  readonly messageId?: string | undefined;
  /** When it is delivered: epoch milliseconds, or a time with an offset. Needs the setting `scheduledPublishes`. */
  readonly deliverAt?: number | string | undefined;
}

/** Times are epoch milliseconds. */
export interface ListenerSession {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
}

export interface ListenerPresence {
  /** Whether each of these users is online. Users are `<type>:<id>`, 100 at most. Each costs one read of the table. */
  readonly of: (users: readonly string[]) => Promise<readonly UserPresence[]>;
}

/** The topics that a token allows. */
export interface TopicRights {
  /** Such as `orders.*`. Each `*` stands for any characters, or none. */
  readonly patterns: readonly string[];
  /** Whether one of the patterns matches the topic. */
  readonly allows: (topic: string) => boolean;
}

/** The fields of a line become fields of its JSON. An `Error` belongs under `cause`. */
export type ListenerLog = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: Record<string, unknown>) => void>
>;

/** The code that handles one message type. */
export interface Listener {
  readonly type: string;
  /** The claims that the sender's token must carry. @default - none */
  readonly requires?: Requirements | undefined;
  /** Checks the content of a frame. Throws a `bad_content` that names the field. */
  readonly accept: (content: unknown) => Promise<AcceptedFrame>;
}

/** A frame whose content fits its listener. */
export interface AcceptedFrame {
  /** The content came as JSON text, so the answers carry JSON text too. */
  readonly isText: boolean;
  readonly handle: (context: Omit<ListenerContext<unknown>, 'content'>) => unknown;
}

/** Makes a listener whose content `read` checks: it returns what `handle` gets, or throws a `bad_content`. */
export function createListener<Content>(
  type: string,
  read: (content: unknown) => Content | Promise<Content>,
  handle: (context: ListenerContext<Content>, isText: boolean) => unknown,
  requires?: Requirements,
): Listener {
  async function accept(content: unknown, isText: boolean): Promise<AcceptedFrame> {
    const accepted = await read(content);
    return { isText, handle: (context) => handle({ ...context, content: accepted }, isText) };
  }
  return {
    type,
    requires,
    async accept(content) {
      try {
        return await accept(content, false);
      } catch (cause) {
        // Some front ends send an object as JSON text, and expect text back.
        const parsed = typeof content === 'string' ? parseJson(content) : undefined;
        if (parsed === undefined) throw cause;
        refuseTooDeep(parsed, 'bad_content', 'content');
        try {
          return await accept(parsed, true);
        } catch (second) {
          // For text that spells no object, the first refusal names the fault.
          throw Object(parsed) === parsed ? second : cause;
        }
      }
    },
  };
}

/** Defines a listener of the protocol. Its errors are in the protocol's words. */
export function defineProtocolListener<Schema extends z.ZodMiniType>(listener: {
  readonly type: string;
  readonly content: Schema;
  /** `isText`: the answer is sent as JSON text. */
  readonly handle: (context: ListenerContext<z.output<Schema>>, isText: boolean) => unknown;
}): Listener {
  const read = (content: unknown) => parseWith(listener.content, content, 'content', 'bad_content');
  return createListener(listener.type, read, listener.handle);
}

/** The topics that a token with these patterns allows. */
export function topicRights(patterns: readonly string[]): TopicRights {
  return { patterns, allows: (topic) => matchesAny(topic, patterns) };
}

/** The connection of a frame that needs one. Throws a `bad_frame` if it came by `POST /messages`. */
export function requireSession({ session }: Pick<ListenerContext<unknown>, 'session'>): ListenerSession {
  if (session) return session;
  throw Refusal.at('bad_frame', 'type', 'needs a WebSocket connection, because it is about one');
}

/** `undefined`: the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
