import {
  BatchGetCommand,
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';

type Command = Parameters<DynamoDBDocumentClient['send']>[0];
type Send = (command: Command) => Promise<unknown>;

/** A database whose commands go through `intercept`. Its `send` passes a command on to the real database. */
function intercepted(
  db: DynamoDBDocumentClient,
  intercept: (command: Command, send: Send) => Promise<unknown>,
): DynamoDBDocumentClient {
  return new Proxy(db, {
    get(target, name) {
      if (name !== 'send') return Reflect.get(target, name) as unknown;
      return (command: Command) => intercept(command, (each) => target.send(each));
    },
  });
}

/** Applies the first command of that name twice, as the SDK does if the first answer is lost. */
export function withResentWrite(db: DynamoDBDocumentClient, name: string): DynamoDBDocumentClient {
  let isLost = false;
  return intercepted(db, async (command, send) => {
    if (!isLost && command.constructor.name === name) {
      isLost = true;
      await send(command);
    }
    return send(command);
  });
}

/** Calls `act` with the name of each command before the command is applied. */
export function withInterruption(
  db: DynamoDBDocumentClient,
  act: (name: string) => Promise<unknown>,
): DynamoDBDocumentClient {
  return intercepted(db, async (command, send) => {
    await act(command.constructor.name);
    return send(command);
  });
}

/** Gives each command to `hold`, which applies it with `run` when it likes, or never. */
export function withHeldCommands(
  db: DynamoDBDocumentClient,
  hold: (name: string, run: () => Promise<unknown>) => Promise<unknown>,
): DynamoDBDocumentClient {
  return intercepted(db, (command, send) => hold(command.constructor.name, () => send(command)));
}

/**
 * Answers a read that is not consistent as a replica does that has no write yet. An index has no consistent reads, so
 * its queries are left alone. DynamoDB Developer Guide, "DynamoDB read consistency":
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
 */
export function withLaggingReplica(db: DynamoDBDocumentClient): DynamoDBDocumentClient {
  return intercepted(db, (command, send) =>
    isEventual(command) ? Promise.resolve({ Count: 0 }) : send(command),
  );
}

function isEventual(command: Command): boolean {
  if (command instanceof GetCommand) return !command.input.ConsistentRead;
  if (command instanceof QueryCommand)
    return command.input.IndexName === undefined && !command.input.ConsistentRead;
  if (!(command instanceof BatchGetCommand)) return false;
  return Object.values(command.input.RequestItems ?? {}).some(({ ConsistentRead }) => !ConsistentRead);
}

/** Processes one entry of each batch. It returns the others as unprocessed, as DynamoDB may when it throttles. */
export function withUnprocessed(db: DynamoDBDocumentClient): DynamoDBDocumentClient {
  return intercepted(db, async (command, send) => {
    if (command instanceof BatchGetCommand) {
      const [table = '', { Keys: [first, ...rest] = [], ...options } = {}] =
        Object.entries(command.input.RequestItems ?? {})[0] ?? [];
      const RequestItems = { [table]: { ...options, Keys: first ? [first] : [] } };
      const answer = await db.send(new BatchGetCommand({ RequestItems }));
      const UnprocessedKeys = rest.length > 0 ? { [table]: { ...options, Keys: rest } } : {};
      return { ...answer, UnprocessedKeys };
    }
    if (command instanceof BatchWriteCommand) {
      const [table = '', [first, ...rest] = []] = Object.entries(command.input.RequestItems ?? {})[0] ?? [];
      const answer = await db.send(
        new BatchWriteCommand({ RequestItems: { [table]: first ? [first] : [] } }),
      );
      return { ...answer, UnprocessedItems: rest.length > 0 ? { [table]: rest } : {} };
    }
    return send(command);
  });
}
