import type { Clock } from '../clock.ts';
import { startDynamoDb } from '../dynamodb/dynamodb.ts';
import { startEventSources } from '../event-source/event-source.ts';
import type { Faults } from '../faults/faults.ts';
import type { Functions } from '../lambda/functions.ts';
import { createLambdaApi, invocationPath } from '../lambda/invoke.ts';
import type { Meter } from '../meter.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';
import { startSqs } from '../sqs/sqs.ts';
import type { Deployment } from '../template/template.ts';
import { errorReply, type Reply } from './reply.ts';
import { createSecretsManager } from './secrets.ts';

/** Every AWS endpoint that SDKs call: DynamoDB, SQS, Secrets Manager and Lambda's Invoke. */
export interface Services {
  /** `POST /` with `X-Amz-Target: <service>.<operation>`, or `/2015-03-31/functions/{name}/invocations`. */
  handle(request: HttpRequest): Promise<Reply>;
  close(): Promise<void>;
}

/** One AWS service as SDKs call it. */
type ServiceHandler = (request: HttpRequest, operation: string) => Promise<Reply>;

/** Makes the tables and queues of the deployment, and starts its event sources. */
export async function startServices(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly functions: Functions;
  readonly meter: Meter;
  /** For retries and batching windows. */
  readonly clock: Clock;
  readonly faults: Faults;
  /** The time of this machine in epoch milliseconds. Signatures are made with it. */
  readonly now: () => number;
  /** Keeps the tables there. Without it they live in memory. */
  readonly dataDir?: string;
}): Promise<Services> {
  const dynamoDb = await startDynamoDb(options);
  const sqs = await startSqs(options);
  const eventSources = startEventSources({ ...options, sqs, streams: dynamoDb.streams });
  const lambda = createLambdaApi(options);
  const handlers = new Map<string, ServiceHandler>([
    ['DynamoDB_20120810', dynamoDb.handle],
    ['AmazonSQS', sqs.handle],
    ['secretsmanager', createSecretsManager(options)],
  ]);
  return {
    async handle(request) {
      if (invocationPath.test(request.url)) return lambda.handle(request);
      const [service = '', operation = ''] = (header(request, 'x-amz-target') ?? '').split('.');
      const handler = handlers.get(service);
      if (handler === undefined || request.method !== 'POST') {
        return errorReply(400, 'UnknownOperationException');
      }
      return handler(request, operation);
    },
    async close() {
      for (const part of [eventSources, lambda, sqs, dynamoDb]) await part.close();
    },
  };
}
