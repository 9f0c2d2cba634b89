import type { Position, Recovery } from '../protocol/messages/channels.ts';
import type { ServerFrame } from '../protocol/messages/frames.ts';

export type { ChannelPosition, Position, Recovery } from '../protocol/messages/channels.ts';
export type { ServerFrame as Frame } from '../protocol/messages/frames.ts';

export type DurableFrame = ServerFrame & Position & { readonly channel: string };

export const topicPrefix = 'topic:';

/**
 * The frame, or nothing where the text is none. API Gateway itself speaks on this socket too, `{"message":"Internal
 * server error","connectionId":…}` where a function failed: that is no frame and answers none.
 */
export function readFrame(text: unknown): ServerFrame | undefined {
  const value = readJson(String(text)) as Partial<ServerFrame> | null | undefined;
  return typeof value?.type === 'string' ? (value as ServerFrame) : undefined;
}

export function isDurable(frame: ServerFrame): frame is DurableFrame {
  return !!frame.channel && hasPosition(frame);
}

/** Whether the server says where a log stands; a topic that keeps none has nothing to say. */
export function hasPosition(value: unknown): value is Recovery {
  const { epoch, offset } = Object(value) as Partial<Position>;
  return typeof epoch === 'string' && typeof offset === 'number';
}

/** The JSON value, or nothing where the text is not JSON. */
export function readJson(text: string, decode = (encoded: string) => encoded): unknown {
  try {
    return JSON.parse(decode(text));
  } catch {
    // Neither JSON.parse nor atob says no in another way.
    return undefined;
  }
}
