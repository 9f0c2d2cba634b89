import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesOf, withTableNames } from './access.ts';
import { consumedCapacity } from './capacity.ts';
import { engineOperations, openEngine } from './engine.ts';
import { callMetered, type MeteredAnswer, units } from './metering.ts';
import { createTables } from './tables.ts';
import { asText, type JsonRecord } from '../json.ts';
import type { Meter } from '../meter.ts';
import { callerOf, errorReply, inputOf, jsonReply, refusal, type Reply } from '../services/reply.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import type { HttpRequest } from '../sigv4/request.ts';
import type { Deployment } from '../template/template.ts';

export interface DynamoDb {
  readonly handle: (request: HttpRequest, operation: string) => Promise<Reply>;
  /** Makes the tables that another deployment adds. Items of a table that is gone stay. */
  readonly update: (deployment: Deployment) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Starts DynamoDB with the tables of the template, in memory or in `dataDir`. Items stay after their TTL: AWS promises
 * their removal only "within a few days" (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html).
 */
export async function startDynamoDb(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly meter: Meter;
  readonly now: () => number;
  readonly dataDir?: string;
}): Promise<DynamoDb> {
  const { deployment, keys, meter, now, dataDir } = options;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  const engine = openEngine({
    ...deployment,
    ...(dataDir === undefined ? {} : { path: join(dataDir, 'dynamodb') }),
  });
  let tables = await createTables(engine, deployment);

  return {
    async handle(request, name) {
      const caller = callerOf(keys, request, 'dynamodb', new Date(now()));
      if (!caller.ok) return caller.reply;
      const operation = engineOperations.find((known) => known === name);
      if (operation === undefined)
        return errorReply(400, 'UnknownOperationException', `${name} is not supported here.`);
      const body = inputOf(request);
      if (!body.ok) return body.reply;
      const input = withTableNames(body.value);
      const denied = refusal(caller.value, `dynamodb:${operation}`, resourcesOf(operation, input, tableArn));
      if (denied !== undefined) return denied;
      const answer = await callMetered(engine, tables, operation, input);
      meter.count(`dynamodb.${operation}`);
      if (answer.capacities.length > 0) meter.count(`dynamodb.${answer.kind}Units`, units(answer.capacities));
      return jsonReply(withCapacity(answer, input, operation.startsWith('Batch')), answer.status);
    },
    async update(next) {
      tables = await createTables(engine, next);
    },
    close: () => engine.close(),
  };

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
