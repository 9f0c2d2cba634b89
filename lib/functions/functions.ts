import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FunctionEnvironments, FunctionName } from '../../lambdas/environment.ts';
import { functionTimeoutMs, handshakeTimeoutMs } from '../../core/timing.ts';
import type { FanOut } from '../resources/fan-out.ts';
import type { StateTable } from '../resources/state-table.ts';
import type { SessionTable } from '../resources/session-table.ts';
import type { Settings } from '../settings/settings.ts';
import { SwitchboardFunction, type FunctionLogs } from './switchboard-function.ts';
import type { TokenSecret } from '../resources/token-secret.ts';
import type { WebSocketApi } from '../apis/websocket-api.ts';

/** The functions of every stack. Only a lifecycle target needs the function `lifecycle`. */
export type Functions = Readonly<Record<Exclude<FunctionName, 'lifecycle'>, SwitchboardFunction>>;

/** The resources that functions use. */
export interface FunctionResources {
  readonly sessions: SessionTable;
  readonly state: StateTable;
  readonly tokenSecret: TokenSecret;
  readonly webSocketApi: WebSocketApi;
  readonly fanOut: FanOut;
}

const functionTimeout = Duration.millis(functionTimeoutMs);
const handshakeTimeout = Duration.millis(handshakeTimeoutMs);

/** Creates every function, and grants each one the access that its variables need. */
export function createFunctions(
  scope: Construct,
  { sessions, state, tokenSecret, webSocketApi, fanOut }: FunctionResources,
  settings: Settings,
  logs: FunctionLogs,
): Functions {
  const common = { LOG_LEVEL: settings.logLevel };
  const sessionStore = { SESSIONS_TABLE: sessions.tableName, SHARDS: String(settings.shards) };
  const caller = {
    ...sessionStore,
    STATE_TABLE: state.tableName,
    CALLBACK_ENDPOINT: webSocketApi.callbackEndpoint,
  };
  const publisher = {
    ...caller,
    INLINE_LIMIT: String(settings.inlineLimit),
    FAN_OUT_QUEUE_URL: fanOut.queueUrl,
    DURABLE_TOPICS: settings.durableTopics.join(','),
  };

  const verifier = {
    TOKEN_SECRET_ARN: tokenSecret.secretArn,
    TOKEN_CLAIMS: JSON.stringify(settings.tokenClaims),
  };

  // The first lifecycle target sets it to true.
  const withoutLifecycle = { RECORDS_ENDS: 'false' };

  const authorize = new SwitchboardFunction(scope, 'Authorize', {
    ...logs,
    entry: 'authorize',
    description: 'Verifies the token of a user who connects, or posts a message',
    environment: {
      ...common,
      ...verifier,
      ALLOWED_ORIGINS: settings.allowedOrigins.join(','),
    } satisfies FunctionEnvironments['authorize'],
    memorySize: 512,
    timeout: handshakeTimeout,
  });
  tokenSecret.grantVerify(authorize);

  const connect = new SwitchboardFunction(scope, 'Connect', {
    ...logs,
    entry: 'connect',
    description: 'Writes the session of a connection that opens',
    environment: { ...common, ...sessionStore } satisfies FunctionEnvironments['connect'],
    memorySize: 512,
    timeout: handshakeTimeout,
  });
  sessions.grantOpen(connect);

  const disconnect = new SwitchboardFunction(scope, 'Disconnect', {
    ...logs,
    entry: 'disconnect',
    description: 'Deletes the session of a connection that has closed',
    environment: {
      ...common,
      ...sessionStore,
      ...withoutLifecycle,
    } satisfies FunctionEnvironments['disconnect'],
    // No client waits for this function, so it needs less CPU.
    memorySize: 256,
    timeout: handshakeTimeout,
  });
  sessions.grantRemove(disconnect);

  const message = new SwitchboardFunction(scope, 'Message', {
    ...logs,
    entry: 'message',
    listeners: settings.listeners,
    description: 'Hands a frame of a client to the listener of its type',
    environment: {
      ...common,
      ...publisher,
      ...verifier,
      ...withoutLifecycle,
      TARGETS: '[]',
    } satisfies FunctionEnvironments['message'],
    memorySize: 512,
    timeout: functionTimeout,
  });
  // Lambda passes it to Node: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
  if (settings.listeners.length > 0) message.addEnvironment('NODE_OPTIONS', '--enable-source-maps');

  const publish = new SwitchboardFunction(scope, 'Publish', {
    ...logs,
    entry: 'publish',
    description: 'Publishes a message to sessions, users, user types, topics or everyone',
    environment: { ...common, ...publisher } satisfies FunctionEnvironments['publish'],
    // Posting to hundreds of connections at once takes mostly CPU.
    memorySize: 1024,
    timeout: functionTimeout,
  });

  // Listeners publish too, so both functions have the same rights.
  for (const fn of [message, publish]) {
    sessions.grantResolve(fn);
    sessions.grantRemove(fn);
    state.grantPublish(fn);
    webSocketApi.grantSend(fn);
    fanOut.grantSend(fn);
  }
  state.grantReport(publish);
  webSocketApi.grantClose(message);
  tokenSecret.grantVerify(message);
  sessions.grantSubscribe(message);
  state.grantRead(message);

  const worker = new SwitchboardFunction(scope, 'FanOut', {
    ...logs,
    entry: 'fan-out',
    description: 'Sends one shard of a publication, page by page, at its share of the rate',
    environment: {
      ...common,
      ...caller,
      FAN_OUT_QUEUE_URL: fanOut.queueUrl,
      FAN_OUT_RATE: String(settings.fanOutRate / settings.fanOutWorkers),
    } satisfies FunctionEnvironments['fan-out'],
    memorySize: 1024,
    timeout: functionTimeout,
  });
  sessions.grantResolve(worker);
  sessions.grantRemove(worker);
  state.grantPublish(worker);
  state.grantReport(worker);
  webSocketApi.grantSend(worker);
  fanOut.grantSend(worker);
  fanOut.addWorker(worker, settings.fanOutWorkers);

  const api = new SwitchboardFunction(scope, 'Api', {
    ...logs,
    entry: 'api',
    description: 'Answers for sessions, publications and channels, and closes connections',
    environment: { ...common, ...caller, ...withoutLifecycle } satisfies FunctionEnvironments['api'],
    memorySize: 512,
    timeout: functionTimeout,
  });
  sessions.grantList(api);
  sessions.grantRemove(api);
  state.grantRead(api);
  state.grantSealGaps(api);
  webSocketApi.grantSend(api);
  webSocketApi.grantClose(api);

  return { authorize, connect, disconnect, message, publish, api, 'fan-out': worker };
}
