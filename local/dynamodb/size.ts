import { asList, asRecord, asText, isRecord, type JsonRecord } from '../json.ts';

/**
 * The size in bytes that DynamoDB bills for an item: attribute names in UTF-8 and values by type.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: JsonRecord): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

/** One write unit for each started kilobyte. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1024));
}

/** One read unit for each started 4 KB. An eventually consistent read costs half. */
export function readUnits(bytes: number, consistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);
}

function valueBytes(attribute: unknown): number {
  const [type, value] = Object.entries(asRecord(attribute))[0] ?? ['', undefined];
  switch (type) {
    case 'S':
      return Buffer.byteLength(asText(value) ?? '');
    case 'N':
      return numberBytes(asText(value) ?? '');
    case 'B':
      return Buffer.byteLength(asText(value) ?? '', 'base64');
    case 'BOOL':
    case 'NULL':
      return 1;
    case 'SS':
      return sum(value, (entry) => Buffer.byteLength(asText(entry) ?? ''));
    case 'NS':
      return sum(value, (entry) => numberBytes(asText(entry) ?? ''));
    case 'BS':
      return sum(value, (entry) => Buffer.byteLength(asText(entry) ?? '', 'base64'));
    case 'L':
      // Three bytes for the list, one for each element.
      return 3 + sum(value, (entry) => 1 + valueBytes(entry));
    case 'M':
      return 3 + (isRecord(value) ? itemBytes(value) + Object.keys(value).length : 0);
    default:
      return 0;
  }
}

/** About one byte for two significant digits, and one more. A negative number has yet one more. */
function numberBytes(text: string): number {
  const [mantissa = ''] = text.toLowerCase().split('e');
  const digits = mantissa.replaceAll(/[-+.]/g, '').replace(/^0+/, '');
  // The exponent holds the zeros at the end of a whole number.
  const significant = digits.replace(/0+$/, '').length;
  return Math.ceil(significant / 2) + 1 + (mantissa.startsWith('-') ? 1 : 0);
}

function sum(values: unknown, bytes: (value: unknown) => number): number {
  return asList(values).reduce((total: number, value) => total + bytes(value), 0);
}
