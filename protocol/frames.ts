import * as z from 'zod/mini';
import { maxFrameIdLength, maxTypeLength } from './limits.ts';
import { Refusal } from './errors.ts';
import type { ClientFrame, Closing, ErrorContent, MessageFrame } from './messages/frames.ts';
import { parseWith, refuseTooDeep } from './validation.ts';

/** The heartbeat as bare text. Some front ends send it so, not as a JSON frame. */
export const bareHeartbeat = { ping: 'ping', pong: 'pong' } as const;

/** Types of the frames that only the server sends. A publish may not use them, and no listener may have them. */
export const serverTypes = ['ack', 'error', 'pong', 'closing', 'presence'] as const;

const typeLength = `must be 1 to ${String(maxTypeLength)} characters`;
const frameType = z.string().check(z.minLength(1, typeLength), z.maxLength(maxTypeLength, typeLength));

const frameId = z
  .string()
  .check(z.maxLength(maxFrameIdLength, `must be at most ${String(maxFrameIdLength)} characters`));

/** Unknown fields are dropped, so that a newer client can use an older server, and no client can set `from`. */
const clientFrame = z.object({ type: frameType, content: z.optional(z.unknown()), id: z.optional(frameId) });

/** The types that the server itself handles. They have no listener and no target of an app. */
export const protocolTypes: readonly string[] = [
  ...['ping', 'subscribe', 'unsubscribe', 'recover', 'refresh'],
  ...['history', 'inbox-list', 'inbox-unread', 'inbox-mark-read'],
  ...['watch', 'unwatch'],
];

/** The type of a published message: any type but `serverTypes`. */
export const publishType = frameType.check(
  z.refine(
    (type) => !(serverTypes as readonly string[]).includes(type),
    `must not be ${serverTypes.join(', ')}`,
  ),
);

export type ClientFrameReading =
  | { readonly ok: true; readonly frame: ClientFrame }
  | { readonly ok: false; readonly refusal: Refusal; readonly id?: string; readonly requestType?: string };

/** Reads a client's text. If a frame is refused, its `id` and `type` are kept for the answer, if they can be read. */
export function readClientFrame(text: string): ClientFrameReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return { ok: false, refusal: Refusal.at('bad_frame', 'frame', 'is not JSON') };
  }
  try {
    const { type, content, id } = parseWith(clientFrame, value, 'frame', 'bad_frame');
    refuseTooDeep(content, 'bad_frame', 'frame.content');
    return { ok: true, frame: { type, content, id } };
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    const id = z.safeParse(z.object({ id: frameId }), value);
    const type = z.safeParse(z.object({ type: frameType }), value);
    return {
      ok: false,
      refusal: cause,
      ...(id.success && { id: id.data.id }),
      ...(type.success && { requestType: type.data.type }),
    };
  }
}

export function messageFrame(frame: MessageFrame): string {
  return JSON.stringify(frame);
}

export function ackFrame(id: string | undefined, content: unknown): string {
  return JSON.stringify({ type: 'ack', id, content: content ?? null });
}

export function pongFrame(id: string | undefined): string {
  return JSON.stringify({ type: 'pong', id, content: null });
}

export function errorFrame(error: Refusal, id: string | undefined, requestType: string | undefined): string {
  const { code, message, retryAfterMs } = error;
  const content: ErrorContent = { code, message, requestType, retryAfterMs };
  return JSON.stringify({ type: 'error', id, content });
}

export function closingFrame(closing: Closing): string {
  return JSON.stringify({ type: 'closing', content: closing });
}
