import { asList, asText, asTexts, isRecord, type JsonRecord, toText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';

/** Whether an event matches a pattern. */
export type Pattern = (event: unknown) => boolean;
type Check = (value: unknown) => boolean;

/**
 * Reads an event pattern. Throws if it has an operator that does not run here: a rule without it would match too much.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function readPattern(pattern: JsonRecord, where: string): Pattern {
  const fields = Object.entries(pattern).map(([name, wanted]) => {
    if (name === '$or') {
      const options = asList(wanted).map((option) => readPattern(recordOf(option, where), where));
      return (event: unknown) => options.some((matches) => matches(event));
    }
    const matches = Array.isArray(wanted)
      ? readValues(wanted, where)
      : withinObject(readPattern(recordOf(wanted, where), where));
    return (event: unknown) => matches(isRecord(event) ? event[name] : undefined);
  });
  return (event) => fields.every((matches) => matches(event));
}

/** A list in an event matches if one of its entries does. */
function withinObject(matches: Pattern): Pattern {
  return (value) => (Array.isArray(value) ? value.some((entry: unknown) => matches(entry)) : matches(value));
}

/** One of the wanted values must match the value, or one entry of it. */
function readValues(wanted: readonly unknown[], where: string): Pattern {
  const checks = wanted.map((entry) => readValue(entry, where));
  return (value) => checks.some((matches) => matches(value));
}

function readValue(wanted: unknown, where: string): Check {
  if (!isRecord(wanted)) return anyEntry((value) => value === wanted);
  const [operator = '', operand] = Object.entries(wanted)[0] ?? [];
  if (operator === 'exists') return (value) => (value !== undefined) === operand;
  if (operator !== 'anything-but') return anyEntry(readOperator(operator, operand, where));
  const excluded = isRecord(operand)
    ? Object.entries(operand).flatMap(([name, values]) =>
        asList(values).map((value) => readOperator(name, value, where)),
      )
    : asList(operand).map(
        (excluded): Check =>
          (value) =>
            value === excluded,
      );
  return anyEntry((value) => !excluded.some((matches) => matches(value)));
}

/** A missing value matches nothing but `{"exists": false}`. */
function anyEntry(check: Check): Check {
  return (value) => (Array.isArray(value) ? value.some(check) : value !== undefined && check(value));
}

function readOperator(operator: string, operand: unknown, where: string): Check {
  const ignoresCase = isRecord(operand) && typeof operand['equals-ignore-case'] === 'string';
  const fold = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  const text = fold(asText(ignoresCase ? operand['equals-ignore-case'] : operand) ?? '');
  switch (operator) {
    case 'prefix':
      return onText((value) => fold(value).startsWith(text));
    case 'suffix':
      return onText((value) => fold(value).endsWith(text));
    case 'equals-ignore-case':
      return onText((value) => value.toLowerCase() === text.toLowerCase());
    case 'wildcard':
      return onText((value) => matchesWildcard(text, value));
    case 'numeric':
      return readNumeric(asList(operand), where);
    default:
      throw new TemplateError(`${where}: the operator ${operator} of an event pattern cannot run here.`);
  }
}

function onText(check: (value: string) => boolean): Check {
  return (value) => typeof value === 'string' && check(value);
}

/** `[">", 0, "<=", 5]`: all comparisons must hold. */
function readNumeric(comparisons: readonly unknown[], where: string): Check {
  const bounds = comparisons.flatMap((operator, at) =>
    at % 2 === 0 ? [{ operator: toText(operator), bound: Number(comparisons[at + 1]) }] : [],
  );
  if (bounds.some(({ operator, bound }) => !/^(?:[<>]=?|=)$/.test(operator) || Number.isNaN(bound))) {
    throw new TemplateError(`${where}: ${toText(comparisons)} is no numeric comparison.`);
  }
  return (value) =>
    typeof value === 'number' &&
    bounds.every(({ operator, bound }) => {
      if (operator === '=') return value === bound;
      if (value === bound) return operator.endsWith('=');
      return operator.startsWith('<') ? value < bound : value > bound;
    });
}

/** `*` is any text, `\*` is a star. */
function matchesWildcard(pattern: string, text: string): boolean {
  const parts = pattern.split(/(?<!\\)\*/).map((part) => part.replaceAll(/\\([*\\])/g, '$1'));
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= text.length - last.length;
}

function recordOf(value: unknown, where: string): JsonRecord {
  if (isRecord(value)) return value;
  const given = asTexts(value).join() || toText(value);
  throw new TemplateError(`${where}: an event pattern needs lists of values, not ${given}.`);
}
