import { writeCapacity } from './capacity.ts';
import { type Change, type Database, itemAfter, lockId, readItem } from './changes.ts';
import type { EngineAnswer, EngineOperation } from './engine.ts';
import type { MeteredAnswer } from './metering.ts';
import { type Write, writesOf } from './writes.ts';
import { asList, asRecord, asText, type JsonRecord } from '../json.ts';

/** One action of a `TransactWriteItems`, as a call of its own. */
interface Action {
  /** The right that it needs: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html */
  readonly right: string;
  readonly operation: EngineOperation;
  readonly input: JsonRecord;
  readonly write: Write;
  /** A check of a condition writes nothing. */
  readonly isCheck: boolean;
}

const operations: Readonly<Record<string, { right: string; operation: EngineOperation }>> = {
  Put: { right: 'PutItem', operation: 'PutItem' },
  Update: { right: 'UpdateItem', operation: 'UpdateItem' },
  Delete: { right: 'DeleteItem', operation: 'DeleteItem' },
  // The engine reads the condition of a check like that of a delete.
  ConditionCheck: { right: 'ConditionCheckItem', operation: 'DeleteItem' },
};

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const maxActions = 100;

/** Reads the actions, or resolves to the refusal of a list that is not allowed. */
export function readActions(input: JsonRecord, tables: Database['tables']): readonly Action[] | EngineAnswer {
  const items = asList(input.TransactItems).map(asRecord);
  if (items.length === 0 || items.length > maxActions)
    return validationError(`A transaction holds 1 to ${String(maxActions)} items.`);
  const actions: Action[] = [];
  for (const item of items) {
    const [name, given] = Object.entries(item)[0] ?? ['nothing'];
    const known = operations[name];
    if (known === undefined) return validationError(`A transaction has no action ${name}.`);
    const action = asRecord(given);
    const TableName = (asText(action.TableName) ?? '').replace(/^arn:[^/]*:table\//, '');
    const own = { ...action, TableName };
    const [write] = writesOf(known.operation, own, tables);
    if (write === undefined) return refusal('ResourceNotFoundException', 'Requested resource not found');
    actions.push({ ...known, input: own, write, isCheck: name === 'ConditionCheck' });
  }
  if (new Set(actions.map(({ write }) => lockId(write))).size < actions.length)
    return validationError('Transaction request cannot include multiple operations on one item');
  return actions;
}

/** Writes all items, or none of them. Other writes to them wait meanwhile. */
export function callTransaction(database: Database, actions: readonly Action[]): Promise<MeteredAnswer> {
  const { engine, locks, onChange } = database;
  return locks.hold(
    actions.map(({ write }) => lockId(write)),
    perform,
  );

  async function perform(): Promise<MeteredAnswer> {
    const befores = await Promise.all(actions.map(({ write }) => readItem(engine, write.table, write.key)));
    const refused = actions.map(({ operation, input }, index) =>
      engine.check(operation, input, befores[index]),
    );
    const invalid = refused.find((answer) => answer !== undefined && !isConditionFailure(answer));
    if (invalid !== undefined) return { ...invalid, kind: 'write', capacities: [] };
    if (refused.some((answer) => answer !== undefined))
      return { ...cancelled(actions, refused, befores), kind: 'write', capacities: [] };

    const changes: Change[] = [];
    for (const [index, { operation, input, write, isCheck }] of actions.entries()) {
      if (isCheck) continue;
      const { table, key } = write;
      const before = befores[index];
      const answer = await engine.call(operation, input);
      // An expression of an update can fit no item that it meets.
      if (answer.status !== 200) {
        await undo(changes);
        return { ...answer, kind: 'write', capacities: [] };
      }
      changes.push({ table, key, before, after: await itemAfter(engine, write) });
    }
    for (const change of changes) onChange(change, 'caller');
    // Each item is written twice: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    const capacities = changes.flatMap(({ table, before, after }) => {
      const capacity = writeCapacity(table, before, after);
      return [capacity, capacity];
    });
    return { status: 200, body: {}, kind: 'write', capacities };
  }

  async function undo(changes: readonly Change[]): Promise<void> {
    for (const { table, key, before } of changes) {
      if (before === undefined) await engine.call('DeleteItem', { TableName: table.name, Key: key });
      else await engine.call('PutItem', { TableName: table.name, Item: before });
    }
  }
}

/** One reason per action, also for those that nothing was wrong with. */
function cancelled(
  actions: readonly Action[],
  refused: readonly (EngineAnswer | undefined)[],
  befores: readonly (JsonRecord | undefined)[],
): EngineAnswer {
  const reasons = refused.map((answer, index) => {
    if (answer === undefined) return { Code: 'None' };
    const shows = actions[index]?.input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(shows && befores[index] !== undefined && { Item: befores[index] }),
    };
  });
  const codes = reasons.map(({ Code }) => Code).join(', ');
  const { status, body } = refusal(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
  );
  return { status, body: { ...body, CancellationReasons: reasons } };
}

function isConditionFailure({ body }: EngineAnswer): boolean {
  return asText(body.__type)?.endsWith('#ConditionalCheckFailedException') ?? false;
}

function validationError(message: string): EngineAnswer {
  return { status: 400, body: { __type: 'com.amazon.coral.validate#ValidationException', message } };
}

function refusal(code: string, message: string): EngineAnswer {
  return { status: 400, body: { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message } };
}
