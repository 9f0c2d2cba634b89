import * as z from 'zod/mini';
import { type ErrorCode, type ErrorDetail, Refusal } from './errors.ts';
import { maxContentDepth } from './limits.ts';

type Issue = z.core.$ZodIssue;

// A long list can have a fault in each item, but the answer must fit into a frame.
const maxFaults = 10;

/** The types that schemas expect, in words. The keys are zod's names for types. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
  null: 'null',
};

/**
 * Checks a value and returns what the schema makes of it. Throws a `Refusal` with this code. Its message names each
 * faulty field. `root` is the name of the whole value.
 */
export function parseWith<Schema extends z.ZodMiniType>(
  schema: Schema,
  value: unknown,
  root: string,
  code: ErrorCode,
): z.output<Schema> {
  const parsed = z.safeParse(schema, value, { error: describe, reportInput: true });
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) => faults(issue, root)).slice(0, maxFaults);
  const message = details.map((detail) => `${detail.field}: ${detail.message}`).join('; ');
  throw new Refusal(code, message, details);
}

/** Checks one level after the other. A recursion would overflow the stack on very deep content. */
export function refuseTooDeep(content: unknown, code: ErrorCode, field: string): void {
  let level: object[] = [content].filter(isContainer);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxContentDepth)
      throw Refusal.at(code, field, `must be nested at most ${String(maxContentDepth)} levels deep`);
    level = level.flatMap((value): unknown[] => Object.values(value)).filter(isContainer);
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The message of an issue for which the schema has none. zod/mini has none either; those of zod use its own terms. */
function describe(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kindOf(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return limit(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum);
    case 'too_big':
      return limit(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum);
    default:
      return 'is not valid';
  }
}

function kindOf(expected: string): string {
  return kinds[expected] ?? `of type ${expected}`;
}

/** The limit is on the length of a string or list, and on the value of a number. */
function limit(origin: string, comparison: string, bound: number | bigint): string {
  const text = `${comparison} ${String(bound)}`;
  if (origin === 'string') return `must have ${text} characters`;
  if (origin === 'array') return `must have ${text} items`;
  return `must be ${text}`;
}

function faults(issue: Issue, parent: string): ErrorDetail[] {
  const path = issue.path.reduce<string>(appendKey, parent);
  const field = path === '' ? 'body' : path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: appendKey(path, key), message: 'is not a known field' }));
  }
  if (isMissing(issue)) return [{ field, message: 'is required' }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The sender meant the alternative that takes this type of value. All others refuse the type itself.
    const meant = issue.errors.find((errors) => !errors.some(isWrongType));
    if (meant) return meant.flatMap((error) => faults(error, path));
    const types = issue.errors
      .flat()
      .filter(isWrongType)
      .map(({ expected }) => kindOf(expected));
    return [{ field, message: `must be ${[...new Set(types)].join(' or ')}` }];
  }
  return [{ field, message: issue.message }];
}

function isMissing({ code, input }: Issue): boolean {
  return code !== 'custom' && input === undefined;
}

function isWrongType(issue: Issue): issue is z.core.$ZodIssueInvalidType {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

/** The path of a field, such as `to[3]`. Senders choose names: an empty, long or unusual one is quoted and cut. */
export function appendKey(path: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${path}[${String(key)}]`;
  const text = String(key);
  if (!/^[\w$-]{1,64}$/.test(text)) return `${path}[${JSON.stringify(text.slice(0, 64))}]`;
  return path === '' ? text : `${path}.${text}`;
}
