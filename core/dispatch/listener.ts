import type * as z from 'zod/mini';
import { type Identity, parseWith, type PublishAnswer, Refusal } from '../../protocol/index.ts';

/** The context that a listener gets with each message. */
export interface ListenerContext<Content> {
  /** The frame's content, as the listener's schema returns it. */
  readonly content: Content;
  /** The user who sent it, by the token of the connection or of the request. */
  readonly from: Identity;
  /** The connection it came on. `undefined`: it came by `POST /messages`. */
  readonly session: ListenerSession | undefined;
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
}

/** As in the body of `POST /publish`. */
export interface SendOptions {
  /** Stored in the channel's log before it is delivered, for users who are away. */
  readonly durable?: boolean;
  readonly ttlSeconds?: number;
}

/** Times are epoch milliseconds. */
export interface ListenerSession {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
  /** Patterns of the topics that the token allows. */
  readonly topics: readonly string[];
}

/** The code that handles one message type. */
export interface Listener {
  readonly type: string;
  /** Checks the content of a frame. Throws a `bad_content` that names the field. */
  readonly accept: (content: unknown) => AcceptedFrame;
}

/** A frame whose content fits its listener. */
export interface AcceptedFrame {
  /** The content came as JSON text, so the answers carry JSON text too. */
  readonly isText: boolean;
  readonly handle: (context: Omit<ListenerContext<unknown>, 'content'>) => unknown;
}

/**
 * Defines a listener. The result of `handle`, or of its promise, becomes the content of the `ack`. A `Refusal` that it
 * throws becomes an `error` frame. Any other error is logged and answered as `internal`.
 */
export function defineListener<Schema extends z.ZodMiniType>(listener: {
  readonly type: string;
  readonly content: Schema;
  readonly handle: (context: ListenerContext<z.output<Schema>>) => unknown;
}): Listener {
  const read = (content: unknown) => parseWith(listener.content, content, 'content', 'bad_content');
  const accepted = (content: z.output<Schema>, isText: boolean): AcceptedFrame => ({
    isText,
    handle: (context) => listener.handle({ ...context, content }),
  });
  return {
    type: listener.type,
    accept(content) {
      try {
        return accepted(read(content), false);
      } catch (cause) {
        // Some front ends send an object as JSON text, and expect text back.
        const parsed = typeof content === 'string' ? parseJson(content) : undefined;
        if (parsed === undefined) throw cause;
        try {
          return accepted(read(parsed), true);
        } catch (second) {
          // For text that spells no object, the first refusal names the fault.
          throw Object(parsed) === parsed ? second : cause;
        }
      }
    },
  };
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
