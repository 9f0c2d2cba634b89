import { asRecord, asText, isRecord, type JsonRecord } from '../json.ts';

/** The facts that an input template may name besides the event. */
export interface RuleFacts {
  readonly ruleArn: string;
  readonly ruleName: string;
  /** ISO 8601 */
  readonly ingestionTime: string;
}

/**
 * What a target gets: its constant `Input`, a part of the event, a filled template, or the whole event.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export function inputFor(target: JsonRecord, event: JsonRecord, facts: RuleFacts): string {
  const { Input, InputPath, InputTransformer } = target;
  if (typeof Input === 'string') return Input;
  if (typeof InputPath === 'string') return JSON.stringify(atPath(event, InputPath) ?? null);
  if (!isRecord(InputTransformer)) return JSON.stringify(event);
  const values = new Map<string, unknown>([
    ['aws.events.rule-arn', facts.ruleArn],
    ['aws.events.rule-name', facts.ruleName],
    ['aws.events.event.ingestion-time', facts.ingestionTime],
    ['aws.events.event.json', event],
    ['aws.events.event', Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'detail'))],
  ]);
  for (const [name, path] of Object.entries(asRecord(InputTransformer.InputPathsMap))) {
    values.set(name, atPath(event, asText(path) ?? ''));
  }
  return fill(asText(InputTransformer.InputTemplate) ?? '', values);
}

/** Within quotes a variable is text; outside of them it is JSON. A variable without a value is empty. */
function fill(template: string, values: ReadonlyMap<string, unknown>): string {
  let isQuoted = false;
  return template.replaceAll(/\\.|"|<([\w.-]+)>/g, (match, name: string | undefined) => {
    if (match === '"') isQuoted = !isQuoted;
    if (name === undefined || !values.has(name)) return match;
    const value = values.get(name);
    if (!isQuoted) return JSON.stringify(value ?? '');
    const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
}

/** Dot notation with indices: `$.detail.items[0].sku`. */
function atPath(event: JsonRecord, path: string): unknown {
  return path
    .replace(/^\$/, '')
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .reduce<unknown>((value, part) => {
      if (Array.isArray(value)) return value[Number(part)] as unknown;
      return isRecord(value) ? value[part] : undefined;
    }, event);
}
