import type { Item } from './capacity.ts';
import { asRecord, asTexts, isRecord, type JsonRecord } from '../json.ts';

/** Whether two stored items are equal. Attributes, entries of maps and elements of sets have no order. */
export function isSameItem(a: Item, b: Item): boolean {
  if (a === undefined || b === undefined) return a === b;
  return JSON.stringify(sortedAttributes(a)) === JSON.stringify(sortedAttributes(b));
}

function sortedAttributes(attributes: JsonRecord): unknown {
  return Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, sortedValue(asRecord(value))]);
}

function sortedValue(attribute: JsonRecord): unknown {
  return Object.entries(attribute).map(([type, value]) => {
    if (type === 'M' && isRecord(value)) return [type, sortedAttributes(value)];
    if (type === 'L' && Array.isArray(value))
      return [type, value.map((entry) => sortedValue(asRecord(entry)))];
    return [type, type.endsWith('S') && type.length === 2 ? [...asTexts(value)].sort() : value];
  });
}
