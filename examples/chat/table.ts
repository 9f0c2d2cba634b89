import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** What an expression of DynamoDB names. `#word` is the attribute `word`, unless `names` says otherwise. */
export interface Expression {
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, unknown>>;
}

/** A change of an item, and the condition under which it happens, as expressions. */
export interface Change extends Expression {
  readonly write: string;
  readonly when: string;
}

export interface Range {
  readonly pk: string;
  /** The first and the last sort key of the range, both included. */
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  readonly newestFirst?: boolean;
}

/** The table of the chat. Every read sees all writes that were answered before it. */
export interface ChatTable {
  get<Row>(key: Key): Promise<Row | undefined>;
  /** The items that exist, in any order. */
  getAll<Row>(keys: readonly Key[]): Promise<readonly Row[]>;
  range<Row>(range: Range): Promise<readonly Row[]>;
  /** Whether the item is new. An item that exists stays as it is. */
  add(item: Key & Readonly<Record<string, unknown>>): Promise<boolean>;
  put(item: Key & Readonly<Record<string, unknown>>): Promise<void>;
  /** The item after the change. `undefined`: the condition did not hold. */
  update<Row>(key: Key, change: Change): Promise<Row | undefined>;
}

/** One call of BatchGetItem takes at most 100 keys. */
const keysPerCall = 100;

export function createTable(db: DynamoDBDocumentClient, TableName: string): ChatTable {
  async function getSome<Row>(keys: readonly Key[]): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let left: Record<string, unknown>[] = keys.map(({ pk, sk }) => ({ pk, sk }));
    // DynamoDB leaves out what is above 16 MB or above the table's throughput, and says so.
    while (left.length > 0) {
      const { Responses = {}, UnprocessedKeys = {} } = await db.send(
        new BatchGetCommand({ RequestItems: { [TableName]: { Keys: left, ConsistentRead: true } } }),
      );
      rows.push(...((Responses[TableName] ?? []) as Row[]));
      left = UnprocessedKeys[TableName]?.Keys ?? [];
    }
    return rows;
  }

  return {
    async get<Row>(Key: Key) {
      const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return Item as Row | undefined;
    },
    async getAll<Row>(keys: readonly Key[]) {
      const calls = Array.from({ length: Math.ceil(keys.length / keysPerCall) }, (_, call) =>
        getSome<Row>(keys.slice(call * keysPerCall, (call + 1) * keysPerCall)),
      );
      return (await Promise.all(calls)).flat();
    },
    async range<Row>({ pk, from, to, limit, newestFirst = false }: Range) {
      // DynamoDB refuses a range whose end is before its start.
      if (from > to) return [];
      const { Items = [] } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
          ExpressionAttributeValues: { ':pk': pk, ':from': from, ':to': to },
          Limit: limit,
          ScanIndexForward: !newestFirst,
          ConsistentRead: true,
        }),
      );
      return Items as Row[];
    },
    add: (Item) =>
      held(db.send(new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }))),
    async put(Item) {
      await db.send(new PutCommand({ TableName, Item }));
    },
    async update<Row>(Key: Key, { write, when, names = {}, values }: Change) {
      const words = `${write} ${when}`.match(/#\w+/g) ?? [];
      const update = db.send(
        new UpdateCommand({
          TableName,
          Key,
          UpdateExpression: write,
          ConditionExpression: when,
          // Aliases for all: DynamoDB reserves many words, such as `name` and `owner`.
          ExpressionAttributeNames: {
            ...Object.fromEntries(words.map((word) => [word, word.slice(1)])),
            ...names,
          },
          ...(values && { ExpressionAttributeValues: values }),
          ReturnValues: 'ALL_NEW',
        }),
      );
      return (await answerIfHeld(update))?.Attributes as Row | undefined;
    },
  };
}

async function held(write: Promise<unknown>): Promise<boolean> {
  return (await answerIfHeld(write.then(() => true))) === true;
}

/** The answer of the write. `undefined`: its condition did not hold. */
async function answerIfHeld<Answer>(write: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await write;
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) return undefined;
    throw cause;
  }
}
