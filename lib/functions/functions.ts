import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FunctionEnvironments } from '../../lambdas/environment.ts';
import { functionTimeoutMs, handshakeTimeoutMs } from '../../core/timing.ts';
import type { FanOut } from '../resources/fan-out.ts';
import type { Presence } from '../resources/presence.ts';
import type { SessionChecks } from '../resources/session-checks.ts';
import type { StateTable } from '../resources/state-table.ts';
import type { SessionTable } from '../resources/session-table.ts';
import type { Settings } from '../settings/settings.ts';
import { functionNames, type OneFunctionName } from './function-names.ts';
import type { Schedule } from '../resources/schedule.ts';
import { SwitchboardFunction, type FunctionLogs } from './switchboard-function.ts';
import type { Tokens } from '../resources/tokens.ts';
import type { WebSocketApi } from '../apis/websocket-api.ts';

/**
 * The functions of a stack. Only a lifecycle target needs the function `lifecycle`. `tickets` is `undefined` if tickets
 * open no connections, `schedule` if the stack schedules no messages, and `presence` if nobody can watch.
 */
export type Functions = Readonly<
  Record<Exclude<OneFunctionName, 'lifecycle' | 'tickets' | 'schedule' | 'presence'>, SwitchboardFunction> &
    Record<'tickets' | 'schedule' | 'presence', SwitchboardFunction | undefined>
>;

/** The resources that functions use. */
export interface FunctionResources {
  readonly sessions: SessionTable;
  readonly state: StateTable;
  readonly tokens: Tokens;
  readonly webSocketApi: WebSocketApi;
  readonly fanOut: FanOut;
  readonly checks: SessionChecks;
  /** `undefined`: the stack schedules no messages. */
  readonly schedule: Schedule | undefined;
  /** `undefined`: nobody can watch. */
  readonly presence: Presence | undefined;
}

const functionTimeout = Duration.millis(functionTimeoutMs);
const handshakeTimeout = Duration.millis(handshakeTimeoutMs);

/** Creates every function, and grants each one the access that its variables need. */
export function createFunctions(
  scope: Construct,
  { sessions, state, tokens, webSocketApi, fanOut, checks, schedule, presence: watching }: FunctionResources,
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
    SCHEDULE_QUEUE_URL: schedule?.queueUrl ?? '',
  };

  const verifier = { TOKENS: tokens.variable };
  const services = { SERVICE_TENANTS: JSON.stringify(settings.serviceTenants) };

  const authorize = new SwitchboardFunction(scope, 'Authorize', {
    ...logs,
    entry: 'authorize',
    description: 'Verifies the token of a user who connects, or posts a message',
    environment: {
      ...common,
      ...verifier,
      SESSIONS_TABLE: sessions.tableName,
      ALLOWED_ORIGINS: settings.allowedOrigins.join(','),
      CONNECT_WITH: settings.connectWith,
      STATE_TABLE: state.tableName,
    } satisfies FunctionEnvironments['authorize'],
    memorySize: 512,
    timeout: handshakeTimeout,
  });
  tokens.grantVerify(authorize);
  sessions.grantReadRevocation(authorize);

  const hasTickets = settings.connectWith !== 'token';
  const tickets = hasTickets ? createTicketFunction(scope, state, settings, logs) : undefined;
  if (hasTickets) state.grantUseTickets(authorize);

  const connect = new SwitchboardFunction(scope, 'Connect', {
    ...logs,
    entry: 'connect',
    description: 'Writes the session of a connection that opens',
    environment: {
      ...common,
      ...sessionStore,
      STATE_TABLE: state.tableName,
      CHECK_QUEUE_URL: checks.queueUrl,
      MAX_SESSIONS_PER_USER: String(settings.maxSessionsPerUser),
      USER_RATE: JSON.stringify(settings.userRate),
    } satisfies FunctionEnvironments['connect'],
    memorySize: 512,
    timeout: handshakeTimeout,
  });
  sessions.grantOpen(connect);
  state.grantCountUnits(connect);
  state.grantNoteSeen(connect);
  checks.grantSend(connect);

  const closeSessions = new SwitchboardFunction(scope, 'CloseSessions', {
    ...logs,
    entry: 'close-sessions',
    description: 'Closes sessions whose token has expired, and those above the maximum of a user',
    environment: {
      ...common,
      ...sessionStore,
      CALLBACK_ENDPOINT: webSocketApi.callbackEndpoint,
      CHECK_QUEUE_URL: checks.queueUrl,
    } satisfies FunctionEnvironments['close-sessions'],
    // No client waits for this function, so it needs less CPU.
    memorySize: 256,
    timeout: functionTimeout,
  });
  sessions.grantClose(closeSessions);
  webSocketApi.grantClose(closeSessions);
  checks.grantSend(closeSessions);
  checks.addWorker(closeSessions);

  const disconnect = new SwitchboardFunction(scope, 'Disconnect', {
    ...logs,
    entry: 'disconnect',
    description: 'Deletes the session of a connection that has closed',
    environment: {
      ...common,
      ...sessionStore,
      // The first lifecycle target sets it to true.
      RECORDS_ENDS: 'false',
    } satisfies FunctionEnvironments['disconnect'],
    // No client waits for this function, so it needs less CPU.
    memorySize: 256,
    timeout: handshakeTimeout,
  });
  sessions.grantRemove(disconnect);

  const message = new SwitchboardFunction(scope, 'Message', {
    ...logs,
    entry: 'message',
    modules: settings.listeners,
    description: 'Hands a frame of a client to the listener of its type',
    environment: {
      ...common,
      ...publisher,
      ...verifier,
      CONNECTION_RATE: JSON.stringify(settings.connectionRate),
      USER_RATE: JSON.stringify(settings.userRate),
      TARGETS: '[]',
      PRESENCE: watching?.variable ?? '',
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
    environment: { ...common, ...publisher, ...services } satisfies FunctionEnvironments['publish'],
    // Posting to hundreds of connections at once takes mostly CPU.
    memorySize: 1024,
    timeout: functionTimeout,
  });

  const scheduler =
    schedule &&
    new SwitchboardFunction(scope, 'Schedule', {
      ...logs,
      entry: 'schedule',
      description: 'Publishes the scheduled messages whose time has come',
      environment: { ...common, ...publisher } satisfies FunctionEnvironments['schedule'],
      memorySize: 1024,
      timeout: functionTimeout,
    });

  // Listeners publish too, so all of these have the same rights.
  for (const fn of [message, publish, ...(scheduler ? [scheduler] : [])]) {
    sessions.grantResolve(fn);
    sessions.grantRemove(fn);
    state.grantPublish(fn);
    fanOut.grantSend(fn);
    schedule?.grantSend(fn);
  }
  for (const fn of [publish, ...(scheduler ? [scheduler] : [])]) {
    webSocketApi.grantSend(fn);
    state.grantReport(fn);
  }
  if (scheduler) {
    state.grantDeliverScheduled(scheduler);
    schedule.addWorker(scheduler);
  }
  tokens.grantVerify(message);
  sessions.grantSubscribe(message);
  // A frame after the token's expiry ends the session.
  webSocketApi.grantClose(message);
  state.grantRead(message);
  state.grantReadPresence(message);
  watching?.grantSend(message);

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
    environment: {
      ...common,
      ...caller,
      ...services,
      CHECK_QUEUE_URL: checks.queueUrl,
    } satisfies FunctionEnvironments['api'],
    memorySize: 512,
    timeout: functionTimeout,
  });
  sessions.grantList(api);
  sessions.grantMarkEnded(api);
  sessions.grantRevoke(api);
  sessions.grantRemove(api);
  state.grantRead(api);
  state.grantReadPresence(api);
  state.grantSealGaps(api);
  state.grantCancel(api);
  webSocketApi.grantClose(api);
  checks.grantSend(api);

  let presence: SwitchboardFunction | undefined;
  if (watching) {
    presence = new SwitchboardFunction(scope, 'PresenceFunction', {
      ...logs,
      entry: 'presence',
      description: 'Tells watchers which users come and go',
      environment: {
        ...common,
        ...publisher,
        PRESENCE: watching.variable,
      } satisfies FunctionEnvironments['presence'],
      memorySize: 512,
      timeout: functionTimeout,
    });
    sessions.grantReadPresence(presence);
    sessions.grantRemove(presence);
    state.grantPublish(presence);
    state.grantReadPresence(presence);
    webSocketApi.grantSend(presence);
    webSocketApi.grantProbe(presence);
    fanOut.grantSend(presence);
    watching.grantSend(presence);
    watching.addWorker(presence, sessions);
  }

  const functions = {
    authorize,
    tickets,
    connect,
    disconnect,
    message,
    publish,
    api,
    'fan-out': worker,
    schedule: scheduler,
    'close-sessions': closeSessions,
    presence,
  };
  for (const name of functionNames) {
    const executions = settings.reservedConcurrency[name];
    // A lifecycle target makes its function later.
    if (executions !== undefined && name !== 'lifecycle') functions[name]?.reserve(executions);
  }
  return functions;
}

function createTicketFunction(
  scope: Construct,
  state: StateTable,
  settings: Settings,
  logs: FunctionLogs,
): SwitchboardFunction {
  const common = { LOG_LEVEL: settings.logLevel };
  const tickets = new SwitchboardFunction(scope, 'Tickets', {
    ...logs,
    entry: 'tickets',
    description: 'Gives a user a ticket that opens one connection',
    environment: {
      ...common,
      STATE_TABLE: state.tableName,
      USER_RATE: JSON.stringify(settings.userRate),
    } satisfies FunctionEnvironments['tickets'],
    memorySize: 512,
    timeout: handshakeTimeout,
  });
  state.grantIssueTickets(tickets);
  state.grantCountUnits(tickets);
  return tickets;
}
