import type { Clock } from '../clock.ts';
import type { Faults } from '../faults/faults.ts';
import { startDynamoDb } from '../dynamodb/dynamodb.ts';
import { startEventSources } from '../event-source/event-source.ts';
import type { Functions } from '../lambda/functions.ts';
import { createLambdaApi, invocationPath } from '../lambda/invoke.ts';
import type { Meter } from '../meter.ts';
import { createSecretsManager } from './secrets.ts';
import { errorReply, type Reply } from './reply.ts';
import { header } from '../sigv4/request.ts';
import type { HttpRequest, KeyRing } from '../sigv4/key-ring.ts';
import { startSqs } from '../sqs/sqs.ts';
import type { Deployment } from '../template/template.ts';

export type { Reply } from './reply.ts';

export interface ServicesOptions {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly functions: Functions;
  readonly meter: Meter;
  /** For retries and batching windows. */
  readonly clock: Clock;
  readonly faults: Faults;
  /** The machine's time in epoch milliseconds, which signatures are made with. */
  readonly now: () => number;
  /** Keeps the tables there; without it they live in memory. */
  readonly dataDir?: string;
}

/** One AWS service as the SDK calls it. */
export type ServiceHandler = (request: HttpRequest, operation: string) => Promise<Reply>;

/** Every AWS endpoint that is called with the SDK: DynamoDB, SQS, Secrets Manager and Lambda's Invoke. */
export class Services {
  readonly #handlers: ReadonlyMap<string, ServiceHandler>;
  readonly #invoke: ServiceHandler;
  readonly #closers: readonly (() => Promise<void>)[];

  private constructor(
    handlers: ReadonlyMap<string, ServiceHandler>,
    invoke: ServiceHandler,
    closers: readonly (() => Promise<void>)[],
  ) {
    this.#handlers = handlers;
    this.#invoke = invoke;
    this.#closers = closers;
  }

  /** Makes the tables and queues of the deployment and begins to feed its event sources. */
  static async start(options: ServicesOptions): Promise<Services> {
    const dynamoDb = await startDynamoDb(options);
    const sqs = await startSqs(options);
    const eventSources = startEventSources({ ...options, sqs });
    const lambda = createLambdaApi(options);
    const handlers = new Map<string, ServiceHandler>([
      ['DynamoDB_20120810', dynamoDb.handle],
      ['AmazonSQS', sqs.handle],
      ['secretsmanager', createSecretsManager(options)],
    ]);
    const closers = [eventSources.close, lambda.close, sqs.close, dynamoDb.close];
    return new Services(handlers, lambda.handle, closers);
  }

  /** `POST /` with `X-Amz-Target: <service>.<operation>`, or `/2015-03-31/functions/{name}/invocations`. */
  async handle(request: HttpRequest): Promise<Reply> {
    if (invocationPath.test(request.url)) return this.#invoke(request, 'Invoke');
    const [service = '', operation = ''] = (header(request, 'x-amz-target') ?? '').split('.');
    const handler = this.#handlers.get(service);
    if (handler === undefined || request.method !== 'POST')
      return errorReply(400, 'UnknownOperationException');
    return handler(request, operation);
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }
}
