import * as z from 'zod/mini';

/** The message of a RayFramework page. Code 1 is text. Code 2 is a picture as a data URL. */
export const rayMessage = z.object({
  code: z._default(z.union([z.literal(1), z.literal(2)]), 1),
  msg: z.string(),
});
export type RayMessage = z.infer<typeof rayMessage>;

/** The message that a page sent. The plain page sends its text without `code` and `msg`. */
export function readMessage(text: string): RayMessage {
  try {
    const { success, data } = z.safeParse(rayMessage, JSON.parse(text));
    return success ? data : { code: 1, msg: text };
  } catch (cause) {
    if (cause instanceof SyntaxError) return { code: 1, msg: text };
    throw cause;
  }
}

/** The text of a message, as a page reads it. */
export function writeMessage({ code, msg }: RayMessage): string {
  return JSON.stringify({ code, msg });
}

/** RayFramework's pages: tokens without a user type have this one. They take bare text. */
export const pageType = 'member';

/** Pages on `@switchboard/client`. They take frames of the type `rayim-message`. */
export const frameType = 'agent';
