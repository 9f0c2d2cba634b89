import {
  ackFrame,
  bareHeartbeat,
  type ClientFrame,
  type ClientFrameReading,
  errorFrame,
  type Identity,
  maxDownlinkFrameBytes,
  parseTarget,
  pongFrame,
  readClientFrame,
  readPublishRequest,
  Refusal,
} from '../../protocol/index.ts';
import type { Claims, Rights } from '../auth/verified-token.ts';
import type { Limit } from '../limits/limit.ts';
import type { Publish } from '../publish/publish.ts';
import type { Reply } from '../publish/reply.ts';
import type { CountSessions } from '../sessions/count.ts';
import {
  type Listener,
  type ListenerLog,
  type ListenerSession,
  type SendOptions,
  topicRights,
} from './listener.ts';
import { refuseForbidden } from './rights.ts';

export interface DispatchOptions {
  /** No two have the same type. */
  readonly listeners: readonly Listener[];
  /** The target of a type that has no listener. @default - such a type is unknown */
  readonly findTarget?: (type: string) => Listener | undefined;
  readonly publish: Publish;
  readonly reply: Reply;
  readonly countSessions: CountSessions;
  /** @default - senders have no limits */
  readonly limit?: Limit;
  readonly logger: DispatchLogger;
}

/** The fields of a line become fields of its JSON. */
type DispatchLogger = Readonly<
  Record<keyof ListenerLog, (message: string, fields: Record<string, unknown>) => void>
>;

/** Who sent a frame. */
export interface Sender {
  readonly identity: Identity;
  readonly rights: Rights;
  readonly claims: Claims;
  /** The connection it came on. `undefined`: it came by `POST /messages`. */
  readonly session: ListenerSession | undefined;
}

/** The answer to a frame. */
export interface FrameAnswer {
  /** The `ack`, `error` or `pong`. */
  readonly text: string;
  /** Why the frame was refused. */
  readonly refusal?: Refusal;
  /** The error of a listener that was answered as `internal`. */
  readonly fault?: { readonly cause: unknown };
  /** The frame succeeded and had no id. A connection gets no answer then. */
  readonly ackNotRequested?: true;
}

/** Gives a client's text to the listener of its type, and resolves to the answer. */
export type Dispatch = (text: string, sender: Sender) => Promise<FrameAnswer>;

export function createDispatch(options: DispatchOptions): Dispatch {
  const { listeners, findTarget, publish, reply, countSessions, limit, logger } = options;
  const byType = new Map(listeners.map((listener) => [listener.type, listener]));

  /** Resolves to the content of the `ack`. */
  async function run(frame: ClientFrame, sender: Sender): Promise<unknown> {
    const listener = byType.get(frame.type) ?? findTarget?.(frame.type);
    if (!listener) throw Refusal.at('unknown_type', 'type', `no listener for ${JSON.stringify(frame.type)}`);
    refuseForbidden(listener, sender);
    const { isText, handle } = await listener.accept(frame.content);
    const outgoing = (content: unknown) => (isText ? JSON.stringify(content ?? null) : content);
    const { identity: from, session, rights, claims } = sender;
    const { tenant, userType, userId } = from;
    const request = (to: string | readonly string[], type: string, content: unknown, options?: SendOptions) =>
      readPublishRequest({ ...options, to, type, content: outgoing(content) ?? null, tenant });
    const result = await handle({
      from: { ...from, ...(Object.keys(claims).length > 0 && { claims }) },
      session,
      topics: topicRights(rights.topics),
      sessions: { count: async (target) => countSessions(tenant, parseTarget(target, 'target')) },
      log: logOf(logger, { type: frame.type, connectionId: session?.connectionId }),
      reply: async (type, content) =>
        session
          ? reply(request(`session:${session.connectionId}`, type, content), { identity: from, ...session })
          : publish(request(`user:${userType}:${userId}`, type, content), from),
      send: async (to, type, content, options) => publish(request(to, type, content, options), from),
    });
    return outgoing(result);
  }

  return async (text, sender) => {
    const reading = readClientFrame(text);
    const limited = await limit?.(sender, reading.ok ? reading.frame.type : undefined);
    if (limited) return answerTo(reading, limited);
    if (text === bareHeartbeat.ping && sender.session) return { text: bareHeartbeat.pong };
    if (!reading.ok) return answerTo(reading, reading.refusal);
    const { frame } = reading;
    if (frame.type === 'ping') return { text: pongFrame(frame.id) };
    try {
      const ack = ackFrame(frame.id, await run(frame, sender));
      if (frame.id === undefined) return { text: ack, ackNotRequested: true };
      // API Gateway would drop the ack, and the client would wait for it.
      if (sender.session && Buffer.byteLength(ack) > maxDownlinkFrameBytes) throw answerTooLarge();
      return { text: ack };
    } catch (cause) {
      const answer = refused(Refusal.of(cause), frame.id, frame.type);
      if (cause instanceof Refusal) return answer;
      logger.error('listener failed', {
        type: frame.type,
        connectionId: sender.session?.connectionId,
        cause,
      });
      return { ...answer, fault: { cause } };
    }
  };
}

/** The answer to a frame that could not be dispatched at all. */
export function failedAnswer(text: string, cause: unknown): FrameAnswer {
  return answerTo(readClientFrame(text), Refusal.of(cause));
}

/** Refuses a frame, whether or not it could be read. */
function answerTo(reading: ClientFrameReading, refusal: Refusal): FrameAnswer {
  const { id, requestType } = reading.ok
    ? { id: reading.frame.id, requestType: reading.frame.type }
    : reading;
  return refused(refusal, id, requestType);
}

/** A log whose lines carry these fields. */
function logOf(logger: DispatchLogger, fields: Readonly<Record<string, unknown>>): ListenerLog {
  const line = (level: keyof ListenerLog) => (message: string, more?: Record<string, unknown>) => {
    logger[level](message, { ...more, ...fields });
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

function answerTooLarge(): Refusal {
  return new Refusal('too_large', `The answer is above ${maxDownlinkFrameBytes} bytes.`);
}

function refused(refusal: Refusal, id: string | undefined, requestType: string | undefined): FrameAnswer {
  return { text: errorFrame(refusal, id, requestType), refusal };
}
