import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { type ErrorCode, type ErrorDetail, Refusal } from './errors.ts';

// zod/mini ships without messages; without these every fault would read "Invalid input".
z.config(en());

// A long list can have a fault in each item, and the answer must fit into a frame.
const maxFaults = 10;

/**
 * The value as the schema gives it, or a `Refusal` with the given code whose message names the faults' fields.
 * `root` is what the value itself is called in messages.
 */
export function parseWith<Schema extends z.ZodMiniType>(
  schema: Schema,
  value: unknown,
  root: string,
  code: ErrorCode,
): z.output<Schema> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) => faults(issue, root)).slice(0, maxFaults);
  const message = details.map((detail) => `${detail.field}: ${detail.message}`).join('; ');
  throw new Refusal(code, message, details);
}

function faults(issue: z.core.$ZodIssue, parent: string): ErrorDetail[] {
  const path = issue.path.reduce<string>(appendKey, parent);
  const field = path === '' ? 'body' : path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: appendKey(path, key), message: 'is not a known field' }));
  }
  if (isMissing(issue)) return [{ field, message: 'is required' }];
  if (issue.code === 'invalid_union') {
    // The member that got furthest is the one the caller meant: the others failed on the value's very kind.
    const meant = issue.errors.find((errors) => errors.every((error) => !isWrongKind(error)));
    if (meant) return meant.flatMap((error) => faults(error, path));
    const errors = issue.errors.flat();
    if (errors.every(isMissing)) return [{ field, message: 'is required' }];
    return [{ field, message: errors.map(({ message }) => message).join(', or ') }];
  }
  return [{ field, message: issue.message }];
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
}

function isWrongKind(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

// A sender's own names may be empty, strange or long: those are quoted, and cut.
function appendKey(path: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${path}[${String(key)}]`;
  const text = String(key);
  if (!/^[\w$-]{1,64}$/.test(text)) return `${path}[${JSON.stringify(text.slice(0, 64))}]`;
  return path === '' ? text : `${path}.${text}`;
}
