import { createRequire } from 'node:module';
import { asRecord, isRecord, type JsonRecord } from '../json.ts';

/** An answer of DynamoDB, good or bad. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: JsonRecord;
}

export interface DynamoEngine {
  call(operation: EngineOperation, input: JsonRecord): Promise<EngineAnswer>;
  /** The refusal of a write that is invalid, or whose condition this item does not meet. It writes nothing. */
  check(
    operation: EngineOperation,
    input: JsonRecord,
    item: JsonRecord | undefined,
  ): EngineAnswer | undefined;
  close(): Promise<void>;
}

export const engineOperations = [
  ...([
    'BatchGetItem',
    'BatchWriteItem',
    'DeleteItem',
    'DescribeTable',
    'DescribeTimeToLive',
    'GetItem',
  ] as const),
  ...(['ListTables', 'PutItem', 'Query', 'Scan', 'UpdateItem'] as const),
] as const;
export type EngineOperation = (typeof engineOperations)[number] | 'CreateTable';

/**
 * Opens dynalite in this process. Its HTTP server would parse each request again, and refuse it for its signature. So
 * this calls the layer below: validation, then the action on the store.
 */
export function openEngine(options: {
  readonly path?: string;
  readonly region: string;
  readonly accountId: string;
}): DynamoEngine {
  const tableMs = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  const store = database.create({
    ...tableMs,
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  store.tableDb.awsRegion = options.region;
  store.tableDb.awsAccountId = options.accountId;

  /** The input with its expressions parsed. Throws a refusal. */
  function validated(operation: EngineOperation, input: JsonRecord): unknown {
    const rules = require(`dynalite/validations/${fileOf(operation)}`) as Rules;
    // The checks remove unknown fields and add parsed ones, so they get a copy.
    const checked = validations.checkTypes(structuredClone(input), rules.types);
    validations.checkValidations(checked, rules.types, rules.custom, store);
    return checked;
  }

  return {
    async call(operation, input) {
      const action = require(`dynalite/actions/${fileOf(operation)}`) as Action;
      try {
        return { status: 200, body: await run(action, store, validated(operation, input)) };
      } catch (error) {
        return refusalIn(error);
      }
    },
    check(operation, input, item) {
      try {
        const failure = database.checkConditional(validated(operation, input), item);
        return failure ? refusalIn(failure) : undefined;
      } catch (error) {
        return refusalIn(error);
      }
    },
    close: () => store.lifecycleManager.gracefulClose(),
  };
}

function fileOf(operation: EngineOperation): string {
  return `${operation.charAt(0).toLowerCase()}${operation.slice(1)}.js`;
}

type Action = (store: Store, input: unknown, done: (error: unknown, output: unknown) => void) => void;

function run(action: Action, store: Store, input: unknown): Promise<JsonRecord> {
  return new Promise((resolve, reject) => {
    action(store, input, (error, output) => {
      if (error) reject(error instanceof Error ? error : new Error('dynalite failed', { cause: error }));
      else resolve(asRecord(output));
    });
  });
}

/** dynalite throws its refusals with the status and body of the answer. Any other error is thrown on. */
function refusalIn(error: unknown): EngineAnswer {
  if (!(error instanceof Error) || !('statusCode' in error) || !('body' in error)) throw error;
  const { statusCode, body } = error;
  if (typeof statusCode !== 'number' || !isRecord(body)) throw error;
  return { status: statusCode, body };
}

// dynalite is CommonJS without types. These are the parts of version 4.0.0 that are used here.
interface Store {
  readonly tableDb: { awsRegion: string; awsAccountId: string };
  readonly lifecycleManager: { gracefulClose(): Promise<void> };
}

interface Rules {
  readonly types: unknown;
  readonly custom: unknown;
}

interface Validations {
  checkTypes(input: unknown, types: unknown): unknown;
  checkValidations(input: unknown, types: unknown, custom: unknown, store: Store): void;
}

interface Database {
  create(options: JsonRecord): Store;
  /** The refusal of a condition that the item does not meet, if there is one. */
  checkConditional(input: unknown, item: JsonRecord | undefined): unknown;
}

const require = createRequire(import.meta.url);

const database = require('dynalite/db/index.js') as Database;
const validations = require('dynalite/validations/index.js') as Validations;
