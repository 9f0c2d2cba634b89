import {
  ackFrame,
  bareHeartbeat,
  type ClientFrame,
  type ClientFrameReading,
  errorFrame,
  maxDownlinkFrameBytes,
  pongFrame,
  readClientFrame,
  Refusal,
} from '../../protocol/index.ts';
import { frameFor, type Outgoing } from '../content-form.ts';
import type { Limit } from '../limits/limit.ts';
import { type ContextParts, createContext, type Sender, writtenContent } from './context.ts';
import type { Listener } from './listener.ts';
import { bareText, refuseForbidden } from './rights.ts';
import { isTextListener, type TextListener } from './text-listener.ts';

export interface DispatchOptions extends ContextParts {
  /** No two have the same type. */
  readonly listeners: readonly (Listener | TextListener)[];
  /** The target of a type that has no listener. @default - such a type is unknown */
  readonly findTarget?: (type: string) => Listener | undefined;
  /** @default - senders have no limits */
  readonly limit?: Limit;
}

/** The answer to a frame. */
export interface FrameAnswer {
  /** The `ack`, `error` or `pong`, or the bare text of a text listener. */
  readonly text: string;
  /** Why the frame was refused. */
  readonly refusal?: Refusal;
  /** The error of a listener that was answered as `internal`. */
  readonly fault?: { readonly cause: unknown };
  /** The frame succeeded and had no id, or the text got no answer. A connection gets nothing then. */
  readonly ackNotRequested?: true;
  /** The text is no frame. */
  readonly isBare?: true;
}

type NoFrame = Extract<ClientFrameReading, { ok: false }>;

/** Gives a client's text to the listener of its type, and resolves to the answer. */
export type Dispatch = (text: string, sender: Sender) => Promise<FrameAnswer>;

export function createDispatch(options: DispatchOptions): Dispatch {
  const { listeners, findTarget, limit, logger } = options;
  const byType = new Map(
    listeners.flatMap((listener) => (isTextListener(listener) ? [] : [[listener.type, listener] as const])),
  );
  const textListeners = listeners.filter(isTextListener);

  /** Resolves to the `ack`. */
  async function run(frame: ClientFrame, sender: Sender): Promise<Outgoing> {
    const listener = byType.get(frame.type) ?? findTarget?.(frame.type);
    if (!listener) throw Refusal.at('unknown_type', 'type', `no listener for ${JSON.stringify(frame.type)}`);
    refuseForbidden(listener, sender);
    const accepted = await listener.accept(frame.content);
    // A session with a form of its own gets that one, whatever it sends.
    const isText = accepted.isText && sender.contentAs === undefined;
    const result = await accepted.handle(createContext(options, sender, { isText, type: frame.type }));
    return { frame: ackFrame(frame.id, writtenContent(result, isText)) };
  }

  /** Gives text that is no frame to the first listener that takes it. */
  async function answerText(text: string, reading: NoFrame, sender: Sender): Promise<FrameAnswer> {
    // An object with a type is meant as a frame, also if another field of it is wrong.
    const isBare = reading.requestType === undefined;
    const listener = isBare ? textListeners.find(({ matches }) => matches(text)) : undefined;
    if (!listener) throw reading.refusal;
    refuseForbidden({ type: bareText, requires: listener.requires }, sender);
    const result: unknown = await listener.handleText({ ...createContext(options, sender, {}), text });
    if (result === undefined || result === null) return { text: '', isBare: true, ackNotRequested: true };
    if (typeof result === 'string') return { text: result, isBare: true };
    throw new TypeError(`A text listener must return a string or nothing, but returned ${typeof result}.`);
  }

  async function answerFrame(frame: ClientFrame, sender: Sender): Promise<FrameAnswer> {
    if (frame.type === 'ping') return { text: frameFor({ frame: pongFrame(frame.id) }, sender.contentAs) };
    const text = frameFor(await run(frame, sender), sender.contentAs);
    return frame.id === undefined ? { text, ackNotRequested: true } : { text };
  }

  return async (text, sender) => {
    const reading = readClientFrame(text);
    const limited = await limit?.(sender, reading.ok ? reading.frame.type : undefined);
    if (limited) return answerTo(reading, limited, sender);
    if (text === bareHeartbeat.ping && sender.session) return { text: bareHeartbeat.pong };
    try {
      const answer = reading.ok
        ? await answerFrame(reading.frame, sender)
        : await answerText(text, reading, sender);
      // API Gateway would drop the answer, and the client would wait for it.
      const isTooLarge = Buffer.byteLength(answer.text) > maxDownlinkFrameBytes && !answer.ackNotRequested;
      if (sender.session && isTooLarge) throw answerTooLarge();
      return answer;
    } catch (cause) {
      const answer = answerTo(reading, Refusal.of(cause), sender);
      if (cause instanceof Refusal) return answer;
      const type = reading.ok ? reading.frame.type : undefined;
      logger.error('listener failed', { type, connectionId: sender.session?.connectionId, cause });
      return { ...answer, fault: { cause } };
    }
  };
}

/** The answer to a frame that could not be dispatched at all. */
export function failedAnswer(text: string, cause: unknown, sender: Pick<Sender, 'contentAs'>): FrameAnswer {
  return answerTo(readClientFrame(text), Refusal.of(cause), sender);
}

/** Refuses a frame, whether or not it could be read. */
function answerTo(
  reading: ClientFrameReading,
  refusal: Refusal,
  { contentAs }: Pick<Sender, 'contentAs'>,
): FrameAnswer {
  const { id, requestType } = reading.ok
    ? { id: reading.frame.id, requestType: reading.frame.type }
    : reading;
  return { text: frameFor({ frame: errorFrame(refusal, id, requestType) }, contentAs), refusal };
}

function answerTooLarge(): Refusal {
  return new Refusal('too_large', `The answer is above ${maxDownlinkFrameBytes} bytes.`);
}
