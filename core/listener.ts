import type * as z from 'zod/mini';
import { type Delivered, type Identity, parseWith, type PublishAnswer } from '../protocol/index.ts';

/** What a listener is given with each message. */
export interface ListenerContext<Content> {
  /** The frame's content, as the listener's schema gives it. */
  readonly content: Content;
  /** Who sent it, by the token that the connection was opened with. */
  readonly from: Identity;
  /** The connection it came on. */
  readonly session: ListenerSession;
  /** Sends a frame to the session that sent this message. */
  readonly reply: (type: string, content: unknown) => Promise<Delivered>;
  /**
   * Publishes within the sender's tenant; receivers see who caused it in `from`.
   * `to` is a target such as `user:member:42`, or up to 100 of them.
   */
  readonly send: (to: string | readonly string[], type: string, content: unknown) => Promise<PublishAnswer>;
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
