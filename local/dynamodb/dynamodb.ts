import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { partitionKeysOf, resourcesOf, withTableNames } from './access.ts';
import { consumedCapacity } from './capacity.ts';
import type { Database } from './changes.ts';
import { withSettings } from './descriptions.ts';
import { engineOperations, openEngine } from './engine.ts';
import { Expiry } from './expiry.ts';
import { ItemLocks } from './locks.ts';
import { callMetered, type MeteredAnswer, units } from './metering.ts';
import { TableStream } from './stream.ts';
import { createTables, type Table } from './tables.ts';
import { callTransaction, readActions } from './transaction.ts';
import { asText, type JsonRecord } from '../json.ts';
import type { Principal } from '../iam/authorize.ts';
import type { Meter } from '../meter.ts';
import { makePrivateFolder } from '../private-folder.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import type { Deployment } from '../template/template.ts';

export interface DynamoDb {
  readonly handle: (request: HttpRequest, operation: string) => Promise<Reply>;
  /** The streams of the tables, by ARN. */
  readonly streams: ReadonlyMap<string, TableStream>;
  /** Makes the tables and streams that another deployment adds. Items of a table that is gone stay. */
  readonly update: (deployment: Deployment) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts DynamoDB with the tables of the template, in memory or in `dataDir`. */
export async function startDynamoDb(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly meter: Meter;
  /** For the deletion of expired items. */
  readonly clock: Clock;
  readonly now: () => number;
  readonly dataDir?: string;
}): Promise<DynamoDb> {
  const { deployment, keys, meter, clock, now, dataDir } = options;
  if (dataDir !== undefined) makePrivateFolder(dataDir);
  const engine = openEngine({
    ...deployment,
    ...(dataDir === undefined ? {} : { path: join(dataDir, 'dynamodb') }),
  });
  const tables = new Map<string, Table>();
  const streams = new Map<string, TableStream>();
  await update(deployment);
  const database: Database = {
    engine,
    tables,
    locks: new ItemLocks(),
    onChange(change, identity) {
      streams.get(change.table.stream?.arn ?? '')?.append(change, identity);
      expiry.note(change.table, change.after);
    },
  };
  const expiry = new Expiry(database, clock, now);
  await expiry.start();

  return {
    async handle(request, name) {
      const caller = callerOf(keys, request, 'dynamodb', new Date(now()));
      if (!caller.ok) return caller.reply;
      const given = inputOf(request);
      if (!given.ok) return given.reply;
      if (name === 'TransactWriteItems') return writeTransaction(caller.value, given.value);
      const operation = engineOperations.find((known) => known === name);
      if (operation === undefined)
        return errorReply(400, 'UnknownOperationException', `${name} is not supported here.`);
      const input = withTableNames(given.value);
      const table = tables.get(asText(input.TableName) ?? '');
      const denied = refusal(
        caller.value,
        `dynamodb:${operation}`,
        resourcesOf(operation, input, tableArn),
        partitionKeysOf(operation, input, table?.keys[0]),
      );
      if (denied !== undefined) return denied;
      const answer = await callMetered(database, operation, input);
      meter.count(`dynamodb.${operation}`);
      if (answer.capacities.length > 0) meter.count(`dynamodb.${answer.kind}Units`, units(answer.capacities));
      const body = table === undefined ? answer.body : withSettings(operation, answer, table);
      return jsonReply(
        withCapacity({ ...answer, body }, input, operation.startsWith('Batch')),
        answer.status,
      );
    },
    streams,
    update,
    async close() {
      await expiry.close();
      await engine.close();
    },
  };

  async function writeTransaction(principal: Principal, input: JsonRecord): Promise<Reply> {
    const actions = readActions(input, tables);
    if ('status' in actions) return jsonReply(actions.body, actions.status);
    for (const { right, write } of actions) {
      const denied = refusal(
        principal,
        `dynamodb:${right}`,
        [write.table.arn],
        partitionKeysOf('DeleteItem', { Key: write.key }, write.table.keys[0]),
      );
      if (denied !== undefined) return denied;
    }
    const answer = await callTransaction(database, actions);
    meter.count('dynamodb.TransactWriteItems');
    if (answer.capacities.length > 0) meter.count('dynamodb.writeUnits', units(answer.capacities));
    return jsonReply(withCapacity(answer, input, true), answer.status);
  }

  async function update(next: Deployment): Promise<void> {
    for (const [name, table] of await createTables(engine, next)) {
      tables.set(name, table);
      if (table.stream !== undefined && !streams.has(table.stream.arn))
        streams.set(table.stream.arn, new TableStream(table.stream, now));
    }
  }

  function tableArn(name: string): string {
    return (
      tables.get(name)?.arn ?? `arn:aws:dynamodb:${deployment.region}:${deployment.accountId}:table/${name}`
    );
  }
}

/** An answer shows the consumed capacity only if the call asks for it. */
function withCapacity({ body, capacities }: MeteredAnswer, input: JsonRecord, isBatch: boolean): JsonRecord {
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'ConsumedCapacity'));
  const detail = asText(input.ReturnConsumedCapacity) ?? 'NONE';
  const consumed = capacities.map((capacity) => consumedCapacity(capacity, detail));
  if (detail === 'NONE' || body.__type !== undefined || consumed.length === 0) return rest;
  return { ...rest, ConsumedCapacity: isBatch ? consumed : consumed[0] };
}
