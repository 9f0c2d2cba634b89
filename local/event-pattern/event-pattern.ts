import { isRecord, type JsonRecord } from '../json.ts';
import { EventPatternError, type Leaf, type LeafTest, readLeafTests } from './operators.ts';

export { EventPatternError } from './operators.ts';

/** Whether an event matches. */
export type EventPattern = (event: unknown) => boolean;

/**
 * Reads an event pattern of EventBridge or a filter pattern of Lambda, which are the same language. Throws an
 * EventPatternError that names the field.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
 */
export function readEventPattern(pattern: unknown): EventPattern {
  if (!isRecord(pattern)) throw new EventPatternError('An event pattern is a JSON object.');
  return readObject(pattern, []);
}

function readObject(pattern: JsonRecord, path: readonly string[]): EventPattern {
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw new EventPatternError(`${where(path)} has no fields.`);
  const tests = fields.map(([name, value]) =>
    name === '$or' && Array.isArray(value)
      ? readAlternatives(value, path)
      : readField(name, value, [...path, name]),
  );
  return (event) => tests.every((matches) => matches(event));
}

/** `$or` has at least two patterns. One of them must match, besides the other fields. */
function readAlternatives(alternatives: readonly unknown[], path: readonly string[]): EventPattern {
  const patterns = alternatives.map((alternative) => {
    if (!isRecord(alternative))
      throw new EventPatternError(`${where([...path, '$or'])} is a list of objects.`);
    return readObject(alternative, path);
  });
  if (patterns.length < 2)
    throw new EventPatternError(`${where([...path, '$or'])} needs two objects or more.`);
  return (event) => patterns.some((matches) => matches(event));
}

function readField(name: string, value: unknown, path: readonly string[]): EventPattern {
  if (Array.isArray(value)) {
    const tests = readLeafTests(value, where(path));
    return (event) => matchesLeaves(leavesOf(valueAt(event, name)), tests);
  }
  if (!isRecord(value)) throw new EventPatternError(`${where(path)} is an object or a list.`);
  const inner = readObject(value, path);
  return (event) => {
    const elements = elementsOf(valueAt(event, name));
    // A field of an absent object is absent too. The pattern may ask for that.
    return elements.length === 0 ? inner(undefined) : elements.some(inner);
  };
}

function matchesLeaves(leaves: readonly Leaf[], tests: readonly LeafTest[]): boolean {
  if (leaves.length === 0) return tests.some((passes) => passes(undefined));
  return leaves.some((leaf) => tests.some((passes) => passes(leaf)));
}

function valueAt(event: unknown, name: string): unknown {
  return isRecord(event) && Object.hasOwn(event, name) ? event[name] : undefined;
}

/** A pattern matches a list if it matches one of its elements. */
function elementsOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.flatMap(elementsOf) : [value];
}

/** Operators see only leaves. An object in their place counts as absent. */
function leavesOf(value: unknown): readonly Leaf[] {
  return elementsOf(value).filter(
    (element): element is Leaf =>
      element === null || ['string', 'number', 'boolean'].includes(typeof element),
  );
}

function where(path: readonly string[]): string {
  return path.length === 0 ? 'The event pattern' : `The event pattern's ${path.join('.')}`;
}
