import * as z from 'zod/mini';

/**
 * Reads JSON that may hold the content of a message. The errors of `JSON.parse` and of schemas quote what they refuse,
 * and they would be logged. The errors here say only which text it was.
 */
export function readJson<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string,
  what: string,
): z.output<Schema> {
  const parsed = parse(text);
  if (!parsed) throw new Error(`${what} is not JSON.`);
  const read = z.safeParse(schema, parsed.value);
  if (!read.success) throw new Error(`${what} has a form that is not allowed.`);
  return read.data;
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
