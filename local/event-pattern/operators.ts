import { asList, isRecord, toText } from '../json.ts';
import { readWildcard } from './wildcard.ts';

/** A pattern that AWS would refuse, or an operator that cannot run here. */
export class EventPatternError extends Error {
  override readonly name = 'EventPatternError';
}

/** A value of an event that is no object and no list. */
export type Leaf = string | number | boolean | null;

/** `undefined` stands for an absent field. */
export type LeafTest = (leaf: Leaf | undefined) => boolean;

/** Reads the list of a field, such as `["a", { "prefix": "b" }]`. One of the tests must pass. */
export function readLeafTests(list: readonly unknown[], where: string): readonly LeafTest[] {
  if (list.length === 0) throw new EventPatternError(`${where} is an empty list.`);
  return list.map((entry) => (isRecord(entry) ? readOperator(entry, where) : equals(entry, where)));
}

type ReadOperator = (operand: unknown, where: string) => LeafTest;

/** The operators on text, which `anything-but` can negate too. */
const textOperators: ReadonlyMap<string, ReadOperator> = new Map<string, ReadOperator>([
  ['prefix', (operand, where) => affix(operand, where, (text, prefix) => text.startsWith(prefix))],
  ['suffix', (operand, where) => affix(operand, where, (text, suffix) => text.endsWith(suffix))],
  [
    'equals-ignore-case',
    (operand, where) => {
      const wanted = asPatternText(operand, where).toLowerCase();
      return onText((text) => text.toLowerCase() === wanted);
    },
  ],
  [
    'wildcard',
    (operand, where) => {
      const matches = readWildcard(asPatternText(operand, where));
      if (matches === undefined)
        throw new EventPatternError(`${where} has a wrong wildcard: ${toText(operand)}`);
      return onText(matches);
    },
  ],
]);

const operators: ReadonlyMap<string, ReadOperator> = new Map<string, ReadOperator>([
  ...textOperators,
  ['anything-but', anythingBut],
  ['numeric', numeric],
  [
    'exists',
    (operand, where) => {
      if (typeof operand !== 'boolean') throw new EventPatternError(`${where}: exists is true or false.`);
      return (leaf) => (leaf !== undefined) === operand;
    },
  ],
]);

function readOperator(entry: object, where: string, known = operators): LeafTest {
  const [operator, ...others] = Object.entries(entry);
  const read = known.get(operator?.[0] ?? '');
  if (operator === undefined || others.length > 0 || read === undefined) {
    const names = [...known.keys()].join(', ');
    throw new EventPatternError(`${where} has ${toText(entry)}. An object has one operator of ${names}.`);
  }
  return read(operator[1], where);
}

function equals(wanted: unknown, where: string): LeafTest {
  if (wanted !== null && !['string', 'number', 'boolean'].includes(typeof wanted)) {
    throw new EventPatternError(`${where} is a list of values and operators, not of lists.`);
  }
  return (leaf) => leaf === wanted;
}

/** Passes for every value that is there and that the operand does not describe. */
function anythingBut(operand: unknown, where: string): LeafTest {
  const excluded = isRecord(operand)
    ? Object.entries(operand).flatMap(([name, values]) =>
        asList(values).map((value) => readOperator({ [name]: value }, where, textOperators)),
      )
    : asList(operand).map((value) => equals(value, where));
  if (excluded.length === 0) throw new EventPatternError(`${where}: anything-but names no value.`);
  return (leaf) => leaf !== undefined && !excluded.some((passes) => passes(leaf));
}

const comparisons: ReadonlyMap<unknown, (value: number, bound: number) => boolean> = new Map([
  ['=', (value: number, bound: number) => value === bound],
  ['<', (value: number, bound: number) => value < bound],
  ['<=', (value: number, bound: number) => value <= bound],
  ['>', (value: number, bound: number) => value > bound],
  ['>=', (value: number, bound: number) => value >= bound],
]);

/** `[">", 0, "<=", 5]`. Numbers in DynamoDB's records are text, so no number of an item passes. */
function numeric(operand: unknown, where: string): LeafTest {
  const parts = asList(operand);
  const tests: ((value: number) => boolean)[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const compare = comparisons.get(parts[at]);
    const bound = parts[at + 1];
    if (compare === undefined || typeof bound !== 'number') {
      throw new EventPatternError(`${where}: numeric is a list of =, <, <=, > or >=, each with a number.`);
    }
    tests.push((value) => compare(value, bound));
  }
  if (tests.length === 0 || tests.length > 2) {
    throw new EventPatternError(`${where}: numeric has one comparison, or two for a range.`);
  }
  return (leaf) => typeof leaf === 'number' && tests.every((passes) => passes(leaf));
}

/** The operand is text, or `{ "equals-ignore-case": text }`. */
function affix(operand: unknown, where: string, matches: (text: string, part: string) => boolean): LeafTest {
  if (!isRecord(operand)) {
    const part = asPatternText(operand, where);
    return onText((text) => matches(text, part));
  }
  const part = asPatternText(operand['equals-ignore-case'], where).toLowerCase();
  return onText((text) => matches(text.toLowerCase(), part));
}

function onText(passes: (text: string) => boolean): LeafTest {
  return (leaf) => typeof leaf === 'string' && passes(leaf);
}

function asPatternText(operand: unknown, where: string): string {
  if (typeof operand === 'string') return operand;
  throw new EventPatternError(`${where} has an operator that needs text, not ${toText(operand)}.`);
}
