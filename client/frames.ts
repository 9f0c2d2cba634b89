import type { DurableFrame, Position, Recovery } from '../protocol/messages/channels.ts';
import type { ServerFrame } from '../protocol/messages/frames.ts';

export type { ChannelPosition, DurableFrame, Position, Recovery } from '../protocol/messages/channels.ts';
export type { ServerFrame as Frame } from '../protocol/messages/frames.ts';

export const topicPrefix = 'topic:';

/** Missed messages come in the ack. One by one, each would cost a request of the server, and a user gets few of them. */
export const messagesIn = 'ack';

/**
 * The frame, or `undefined` if the text is not one. If a function fails, API Gateway itself sends
 * `{"message":"Internal server error","connectionId":…}`. That text is not a frame and answers no request.
 */
export function readFrame(text: unknown): ServerFrame | undefined {
  const value = readJson(String(text)) as Partial<ServerFrame> | null | undefined;
  return typeof value?.type === 'string' ? (value as ServerFrame) : undefined;
}

export function isDurable(frame: ServerFrame): frame is DurableFrame {
  return !!frame.channel && hasPosition(frame);
}

/** Whether an answer holds a position. A topic without a log has none. */
export function hasPosition(value: unknown): value is Recovery {
  const { epoch, offset } = Object(value) as Partial<Position>;
  return typeof epoch === 'string' && typeof offset === 'number';
}

/** The JSON value, or `undefined` if the text is not JSON. */
export function readJson(text: string, decode = (encoded: string) => encoded): unknown {
  try {
    return JSON.parse(decode(text));
  } catch {
    // JSON.parse and atob report bad input only by throwing.
    return undefined;
  }
}
