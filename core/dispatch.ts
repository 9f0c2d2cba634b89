import type { Logger } from '@aws-lambda-powertools/logger';
import {
  ackFrame,
  bareHeartbeat,
  type ClientFrame,
  errorFrame,
  type Identity,
  pongFrame,
  readClientFrame,
  readPublishRequest,
  Refusal,
} from '../protocol/index.ts';
import type { Listener, ListenerSession } from './listener.ts';
import type { Publish, Reply } from './publish.ts';

export interface DispatchOptions {
  readonly listeners: readonly Listener[];
  readonly publish: Publish;
  readonly reply: Reply;
  readonly log: Pick<Logger, 'error'>;
}

/** The connection a frame came on. */
export interface Sender extends ListenerSession {
  readonly identity: Identity;
}

/** Hands a client's text to its listener and resolves to the text that answers it, or to nothing. */
export type Dispatch = (text: string, sender: Sender) => Promise<string | undefined>;

export function createDispatch({ listeners, publish, reply, log }: DispatchOptions): Dispatch {
  const byType = new Map(listeners.map((listener) => [listener.type, listener]));

  async function run(frame: ClientFrame, sender: Sender): Promise<unknown> {
    const listener = byType.get(frame.type);
    if (!listener) throw new Refusal('unknown_type', `type: no listener for ${JSON.stringify(frame.type)}`);
    // Front ends of other stacks wrap the content in a string, and expect the same of what they get.
    const isText = listener.takesObject && typeof frame.content === 'string';
    const outgoing = (content: unknown) => (isText ? JSON.stringify(content ?? null) : content);
    const request = (to: string | readonly string[], type: string, content: unknown) =>
      readPublishRequest({ to, type, content: outgoing(content) ?? null, tenant: sender.identity.tenant });
    const { identity: from, ...session } = sender;
    const result = await listener.handle({
      content: isText ? parseText(frame.content) : frame.content,
      from,
      session,
      reply: async (type, content) => reply(request(`session:${sender.connectionId}`, type, content), sender),
      send: async (to, type, content) => publish(request(to, type, content), from),
    });
    return outgoing(result);
  }

  return async (text, sender) => {
    if (text === bareHeartbeat.ping) return bareHeartbeat.pong;
    const reading = readClientFrame(text);
    if (!reading.ok) return errorFrame(reading.refusal, reading.id, reading.requestType);
    const { frame } = reading;
    if (frame.type === 'ping') return pongFrame(frame.id);
    try {
      const result = await run(frame, sender);
      return frame.id === undefined ? undefined : ackFrame(frame.id, result);
    } catch (cause) {
      if (cause instanceof Refusal) return errorFrame(cause, frame.id, frame.type);
      log.error('listener failed', { type: frame.type, connectionId: sender.connectionId, cause });
      return errorFrame(new Refusal('internal', 'The listener failed; try again.'), frame.id, frame.type);
    }
  };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const message = 'must be an object, or the JSON text of one';
    throw new Refusal('bad_content', `content: ${message}`, [{ field: 'content', message }]);
  }
}
