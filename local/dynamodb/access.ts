import type { EngineOperation } from './engine.ts';
import { asRecord, asText, type JsonRecord } from '../json.ts';

/** The tables of a call, by the names in it. */
export function tablesOf(input: JsonRecord): readonly string[] {
  const { TableName: name, RequestItems: requests } = input;
  return requests === undefined ? [asText(name) ?? ''] : Object.keys(asRecord(requests));
}

/**
 * The resources for which a call needs a grant of `dynamodb:<Operation>`: its tables, or the one index that it reads.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
export function resourcesOf(
  operation: EngineOperation,
  input: JsonRecord,
  tableArn: (name: string) => string,
): readonly string[] {
  if (operation === 'ListTables') return ['*'];
  const arns = tablesOf(input).map(tableArn);
  const index = asText(input.IndexName);
  return index === undefined ? arns : arns.map((arn) => `${arn}/index/${index}`);
}

/**
 * The partition key of a call for one item, as `dynamodb:LeadingKeys` has it. `undefined`: other calls have their keys in
 * expressions or lists, which are not read for policies here.
 */
export function partitionKeysOf(
  operation: EngineOperation,
  { Key, Item }: JsonRecord,
  keyName: string | undefined,
): readonly string[] | undefined {
  const key = asRecord(operation === 'PutItem' ? Item : Key);
  const value = keyName === undefined ? undefined : key[keyName];
  return value === undefined ? undefined : Object.values(asRecord(value)).map(String);
}

/** A call may name a table by its ARN. The engine knows names only. */
export function withTableNames(input: JsonRecord): JsonRecord {
  const { TableName: name, RequestItems: requests } = input;
  if (requests !== undefined) {
    const named = Object.entries(asRecord(requests)).map(
      ([table, request]) => [tableName(table), request] as const,
    );
    return { ...input, RequestItems: Object.fromEntries(named) };
  }
  return typeof name === 'string' ? { ...input, TableName: tableName(name) } : input;
}

function tableName(nameOrArn: string): string {
  return nameOrArn.replace(/^arn:[^/]*:table\//, '');
}
