import type { Clock } from '../clock.ts';
import { startDynamoDb } from '../dynamodb/dynamodb.ts';
import { startEventSources } from '../event-source/event-source.ts';
import { createEventBridge } from '../eventbridge/eventbridge.ts';
import { createTargets } from '../eventbridge/targets.ts';
import type { Faults } from '../faults/faults.ts';
import type { Functions } from '../lambda/functions.ts';
import { createLambdaApi, invocationPath } from '../lambda/invoke.ts';
import type { Log } from '../log.ts';
import type { Meter } from '../meter.ts';
import { createScheduler } from '../scheduler/scheduler.ts';
import type { KeyRing } from '../sigv4/key-ring.ts';
import { signedService } from '../sigv4/authorization.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';
import { startS3 } from '../s3/s3.ts';
import { createParameterStore } from '../ssm/ssm.ts';
import { startSqs } from '../sqs/sqs.ts';
import type { Deployment } from '../template/template.ts';
import { notRunHere } from './not-run-here.ts';
import type { Reply } from './reply.ts';
import { createSecretsManager } from './secrets.ts';

/** Every AWS endpoint that SDKs call. */
export interface Services {
  /** Whether this is a call of an AWS service, and not of an API of the template. */
  handles(request: HttpRequest): boolean;
  /** Whether this calls something that runs here. Any other call is known by the service of its signature alone. */
  runs(request: HttpRequest): boolean;
  handle(request: HttpRequest): Promise<Reply>;
  /**
   * Makes the tables and queues that another deployment adds, and reads its event sources. Rejects with a TemplateError
   * for a mistake in it. The returned function deploys the rest. The functions must be deployed before.
   */
  prepare(deployment: Deployment): Promise<() => void>;
  close(): Promise<void>;
}

/** One AWS service as SDKs call it. */
type ServiceHandler = (request: HttpRequest, operation: string) => Promise<Reply>;

/** Makes the tables, queues and buckets of the deployment, and starts its event sources and schedules. */
export async function startServices(options: {
  readonly deployment: Deployment;
  readonly keys: KeyRing;
  readonly functions: Functions;
  readonly meter: Meter;
  /** For retries and batching windows. */
  readonly clock: Clock;
  readonly faults: Faults;
  /** For deliveries, which no request logs. */
  readonly log: Log;
  /** The time of this machine in epoch milliseconds. Signatures are made with it. */
  readonly now: () => number;
  /** What the generated secrets hold. */
  readonly secret: string;
  /** Keeps the tables there. Without it they live in memory. */
  readonly dataDir?: string;
}): Promise<Services> {
  let current = options.deployment;
  const dynamoDb = await startDynamoDb(options);
  const sqs = await startSqs(options);
  const eventSources = startEventSources({ ...options, sqs, streams: dynamoDb.streams });
  const lambda = createLambdaApi(options);
  const s3 = await startS3(options);
  const targets = createTargets({ ...options, lambda, sqs });
  let eventBridge = createEventBridge({ ...options, targets });
  const scheduler = createScheduler({ ...options, targets });
  const secretsManager = createSecretsManager(options);
  const handlers = new Map<string, ServiceHandler>([
    ['DynamoDB_20120810', dynamoDb.handle],
    ['AmazonSQS', sqs.handle],
    ['secretsmanager', secretsManager.handle],
    ['AmazonSSM', createParameterStore(options)],
    ['AWSEvents', (request, operation) => eventBridge.handle(request, operation)],
  ]);
  const runs = (request: HttpRequest) =>
    invocationPath.test(request.url) ||
    header(request, 'x-amz-target') !== undefined ||
    (s3.handles(request) && s3.hasBucketOf(request)) ||
    (signedService(request) === 'scheduler' && scheduler.hasPathOf(request));
  return {
    runs,
    handles: (request) => runs(request) || ![undefined, 'execute-api'].includes(signedService(request)),
    async handle(request) {
      if (invocationPath.test(request.url)) return lambda.handle(request);
      if (s3.handles(request)) return s3.handle(request);
      if (signedService(request) === 'scheduler') return scheduler.handle(request);
      const [service = '', operation = ''] = (header(request, 'x-amz-target') ?? '').split('.');
      const handler = request.method === 'POST' ? handlers.get(service) : undefined;
      return handler === undefined ? notRunHere(request) : handler(request, operation);
    },
    async prepare(deployment) {
      await dynamoDb.update(deployment);
      await sqs.update(deployment);
      await s3.update(deployment);
      const deployEventSources = eventSources.prepare(deployment);
      scheduler.update(deployment);
      const nextEventBridge = createEventBridge({ ...options, deployment, targets });
      return () => {
        void eventBridge.close();
        eventBridge = nextEventBridge;
        secretsManager.update(deployment);
        if (parametersOf(deployment) !== parametersOf(current))
          handlers.set('AmazonSSM', createParameterStore({ ...options, deployment }));
        current = deployment;
        deployEventSources();
      };
    },
    async close() {
      for (const part of [scheduler, eventBridge, eventSources, lambda, s3, sqs, dynamoDb])
        await part.close();
    },
  };
}

/** What a template says of its parameters. While it stays the same, the values that functions have put stay too. */
function parametersOf(deployment: Deployment): string {
  return JSON.stringify(deployment.ofType('AWS::SSM::Parameter'));
}
