import type { Logger } from '@aws-lambda-powertools/logger';
import {
  ackFrame,
  bareHeartbeat,
  type ClientFrame,
  errorFrame,
  type Identity,
  maxDownlinkFrameBytes,
  pongFrame,
  readClientFrame,
  readPublishRequest,
  Refusal,
} from '../../protocol/index.ts';
import type { Listener, ListenerSession, SendOptions } from './listener.ts';
import type { Publish, Reply } from '../publish/publish.ts';

export interface DispatchOptions {
  readonly listeners: readonly Listener[];
  readonly publish: Publish;
  readonly reply: Reply;
  readonly log: Pick<Logger, 'error'>;
}

/** Who sent a frame. */
export interface Sender {
  readonly identity: Identity;
  /** The connection it came on; none where it came by HTTP. */
  readonly session: ListenerSession | undefined;
}

/** What a frame is answered with. */
export interface FrameAnswer {
  /** The `ack`, `error` or `pong`. */
  readonly text: string;
  /** Why the frame was refused. */
  readonly refusal?: Refusal;
  /** It succeeded, and its client gave no id: on a connection nothing is sent. */
  readonly ackNotRequested?: true;
}

/** Hands a client's text to its listener, and resolves to what answers it. */
export type Dispatch = (text: string, sender: Sender) => Promise<FrameAnswer>;

export function createDispatch({ listeners, publish, reply, log }: DispatchOptions): Dispatch {
  const byType = new Map(listeners.map((listener) => [listener.type, listener]));

  async function run(frame: ClientFrame, sender: Sender): Promise<unknown> {
    const listener = byType.get(frame.type);
    if (!listener) throw new Refusal('unknown_type', `type: no listener for ${JSON.stringify(frame.type)}`);
    // Front ends of other stacks wrap the content in a string, and expect the same of what they get.
    const isText = listener.takesObject && typeof frame.content === 'string';
    const outgoing = (content: unknown) => (isText ? JSON.stringify(content ?? null) : content);
    const { identity: from, session } = sender;
    const { tenant, userType, userId } = from;
    const request = (to: string | readonly string[], type: string, content: unknown, options?: SendOptions) =>
      readPublishRequest({ ...options, to, type, content: outgoing(content) ?? null, tenant });
    const result = await listener.handle({
      content: isText ? parseText(frame.content) : frame.content,
      from,
      session,
      reply: async (type, content) =>
        session
          ? reply(request(`session:${session.connectionId}`, type, content), { identity: from, ...session })
          : publish(request(`user:${userType}:${userId}`, type, content), from),
      send: async (to, type, content, options) => publish(request(to, type, content, options), from),
    });
    return outgoing(result);
  }

  return async (text, sender) => {
    if (text === bareHeartbeat.ping && sender.session) return { text: bareHeartbeat.pong };
    const reading = readClientFrame(text);
    if (!reading.ok) return refused(reading.refusal, reading.id, reading.requestType);
    const { frame } = reading;
    if (frame.type === 'ping') return { text: pongFrame(frame.id) };
    try {
      const ack = ackFrame(frame.id, await run(frame, sender));
      if (frame.id === undefined) return { text: ack, ackNotRequested: true };
      // API Gateway would send nothing, and the client wait for it.
      if (sender.session && Buffer.byteLength(ack) > maxDownlinkFrameBytes) throw answerTooLarge();
      return { text: ack };
    } catch (cause) {
      if (cause instanceof Refusal) return refused(cause, frame.id, frame.type);
      log.error('listener failed', {
        type: frame.type,
        connectionId: sender.session?.connectionId,
        cause,
      });
      return refused(new Refusal('internal', 'The listener failed; try again.'), frame.id, frame.type);
    }
  };
}

function answerTooLarge(): Refusal {
  return new Refusal('too_large', `The answer is above ${String(maxDownlinkFrameBytes)} bytes.`);
}

function refused(refusal: Refusal, id: string | undefined, requestType: string | undefined): FrameAnswer {
  return { text: errorFrame(refusal, id, requestType), refusal };
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
