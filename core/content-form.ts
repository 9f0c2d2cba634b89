import * as z from 'zod/mini';

/**
 * The form of `content` in every frame to a session: JSON text, or JSON as it is. The token that opened the connection
 * names it. A session without one gets the form of the sender (docs/protocol.md, P22).
 */
export const contentAs = z.enum(['text', 'json']);
export type ContentAs = z.output<typeof contentAs>;

/** A text for receivers. */
export interface Outgoing {
  /** What a session without a form of its own gets. */
  readonly frame: string;
  /**
   * `text`: the content of the frame is JSON text, because its sender writes so. `bare`: it is no frame of the protocol,
   * and every session gets it as it is.
   * @default - a frame with its content as it is
   */
  readonly form?: 'text' | 'bare' | undefined;
}

/** The text for a session that takes content in this form. */
export function frameFor({ frame, form }: Outgoing, as: ContentAs | undefined): string {
  if (as === undefined || form === 'bare' || (as === 'json' && form === undefined)) return frame;
  const written = JSON.parse(frame) as { readonly content: unknown };
  const content = form === 'text' ? readText(written.content) : written.content;
  // Text is what such a session expects. Quoted once more, it would be no longer what the publisher wrote.
  const isText = as === 'json' || typeof content === 'string';
  return JSON.stringify({ ...written, content: isText ? content : JSON.stringify(content) });
}

function readText(content: unknown): unknown {
  return JSON.parse(String(content));
}
