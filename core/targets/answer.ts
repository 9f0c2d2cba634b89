import * as z from 'zod/mini';
import { Refusal } from '../../protocol/index.ts';
import { readJson } from '../json.ts';

/** The largest answer that is read. An ack of 128 KB is below it, even if the target escapes every character. */
const maxAnswerBytes = 1024 * 1024;

const maxMessageLength = 300;

/** Reads the body of a target's response. Throws if it is too large. */
export async function readText(response: Response): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    // The throw ends the loop, which cancels the rest of the body.
    if (bytes > maxAnswerBytes) throw new Error(`The answer is above ${maxAnswerBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** `null`, `{"content"}`, or `{"error":{"code","message"}}` with a code that a target may give. */
const answer = z.union([
  z.null(),
  z.strictObject({
    error: z.strictObject({
      code: z.enum(['bad_content', 'forbidden', 'not_found', 'conflict', 'rate_limited']),
      message: z.string(),
    }),
  }),
  z.strictObject({ content: z.unknown() }),
]);

/**
 * Reads the answer of a target. Returns the content of the `ack`. Throws the `Refusal` that the target gave. Throws
 * any other error if the answer has another form.
 */
export function readAnswer(text: string): unknown {
  const read = readJson(answer, text, 'The answer');
  if (read === null) return null;
  if ('error' in read) throw new Refusal(read.error.code, read.error.message.slice(0, maxMessageLength));
  return read.content;
}
