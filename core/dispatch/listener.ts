import type * as z from 'zod/mini';
import { type Identity, parseWith, type PublishAnswer, Refusal } from '../../protocol/index.ts';

/** What a listener is given with each message. */
export interface ListenerContext<Content> {
  /** The frame's content, as the listener's schema gives it. */
  readonly content: Content;
  /** Who sent it, by the token of the connection or of the request. */
  readonly from: Identity;
  /** The connection it came on; none where it came by `POST /messages`. */
  readonly session: ListenerSession | undefined;
  /** Sends a frame to the session that sent this message; to all of the user's where it came by `POST /messages`. */
  readonly reply: (type: string, content: unknown) => Promise<PublishAnswer>;
  /**
   * Publishes within the sender's tenant; receivers see who caused it in `from`.
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
  /** Kept in the channel's log before it is delivered, for whoever is away. */
  readonly durable?: boolean;
  readonly ttlSeconds?: number;
}

/** Times are epoch milliseconds. */
export interface ListenerSession {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
  /** Patterns of the topics its token lets it subscribe to. */
  readonly topics: readonly string[];
}

/** The code that handles one message type. */
export interface Listener {
  readonly type: string;
  /** Its content is an object: front ends may send it as the JSON text of one. */
  readonly takesObject: boolean;
  /** Checks the content and runs; throws a `bad_content` that names the field. */
  readonly handle: (context: ListenerContext<unknown>) => unknown;
}

/**
 * Defines a listener. What `handle` returns (or resolves to) becomes the content of the `ack`; a `Refusal` that it
 * throws becomes an `error` frame; anything else it throws is logged and answered as `internal`.
 */
export function defineListener<Schema extends z.ZodMiniType>(listener: {
  readonly type: string;
  readonly content: Schema;
  readonly handle: (context: ListenerContext<z.output<Schema>>) => unknown;
}): Listener {
  return {
    type: listener.type,
    takesObject: takesObject(listener.content),
    handle: (context) =>
      listener.handle({
        ...context,
        content: parseWith(listener.content, context.content, 'content', 'bad_content'),
      }),
  };
}

/** The connection of a frame that makes sense on one only; throws a `bad_frame` where there is none. */
export function connectionOf({ session }: Pick<ListenerContext<unknown>, 'session'>): ListenerSession {
  if (session) return session;
  throw new Refusal('bad_frame', 'type: needs a WebSocket connection, for it is about one');
}

/** Whether the schema is an object's at heart, however it is wrapped. */
function takesObject(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object':
    case 'record':
      return true;
    case 'optional':
    case 'nullable':
    case 'default':
      return takesObject(def.innerType);
    case 'pipe':
      return takesObject(def.in);
    case 'union':
      return def.options.every(takesObject);
    default:
      return false;
  }
}
