import { RemovalPolicy } from 'aws-cdk-lib';
import type * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { checkDomains } from './apis/custom-domain.ts';
import { FanOut } from './resources/fan-out.ts';
import { Presence } from './resources/presence.ts';
import { Schedule } from './resources/schedule.ts';
import { SessionChecks } from './resources/session-checks.ts';
import { createFunctions } from './functions/functions.ts';
import type { FunctionLogs, SwitchboardFunction } from './functions/switchboard-function.ts';
import { HttpApi } from './apis/http-api.ts';
import { Lifecycle } from './targets/lifecycle.ts';
import type { LifecycleTarget, ListenerTarget } from './targets/listener-target.ts';
import { MessageTargets } from './targets/message-targets.ts';
import { StateTable } from './resources/state-table.ts';
import { SessionTable } from './resources/session-table.ts';
import type { SwitchboardProps } from './settings/props.ts';
import { readSettings, SettingsError } from './settings/settings.ts';
import { Tokens } from './resources/tokens.ts';
import { WebSocketApi } from './apis/websocket-api.ts';

/**
 * Managed WebSocket connections: users connect with a token; services publish to users, user types, topics or
 * everyone.
 *
 * ```ts
 * const switchboard = new Switchboard(stack, 'Switchboard', { allowedOrigins: ['https://app.example.com'] });
 * switchboard.grantPublish(ordersFunction);
 * ```
 */
export class Switchboard extends Construct {
  /** Where users connect, with `?token=` (or as `tokenParameter` says): `wss://…/live`, or the address of `webSocketDomain`. */
  readonly webSocketUrl: string;
  /** Where services publish, with SigV4: `https://…/publish`. */
  readonly publishUrl: string;
  /** The secret in Secrets Manager that your backend signs the users' tokens with. `undefined`: the stack has none. */
  readonly tokenSecretArn: string | undefined;
  /**
   * Takes the body of `POST /publish` by direct invocation, which saves the price of the request. Who may invoke it can
   * name any caller in an event of its own, so with `serviceTenants` let nobody invoke it.
   */
  readonly publishFunction: IFunction;
  /**
   * Runs the listeners. What they use is granted to it, and named in its environment:
   * `orders.grantReadWriteData(switchboard.listenerFunction)`, `listenerFunction.addEnvironment('ORDERS_TABLE', …)`.
   */
  readonly listenerFunction: LambdaFunction;
  /** The API that clients are connected to. */
  readonly webSocketApi: apigateway.WebSocketApi;
  /** The one stage of `webSocketApi`, `live`. */
  readonly webSocketStage: apigateway.WebSocketStage;
  /** The API of services, and of `POST /messages`. */
  readonly httpApi: apigateway.HttpApi;
  /** The one stage of `httpApi`, `$default`. */
  readonly httpStage: apigateway.HttpStage;
  /** Sessions and subscriptions. Its items have no documented form: read them by `GET /sessions`. */
  readonly sessionsTable: Table;
  /** The jobs of the fan-out that failed five times, for 14 days. */
  readonly fanOutDeadLetters: Queue;

  /** How the functions of this stack log. */
  readonly logging: FunctionLogs & { readonly logLevel: string };

  /** The tenants of services. Empty: a publish need not know its caller. */
  private readonly serviceTenants: Record<string, string>;
  private readonly publisher: SwitchboardFunction;
  private readonly routes: HttpApi;
  private readonly targets: MessageTargets;
  private readonly lifecycle: Lifecycle;

  constructor(scope: Construct, id: string, props: SwitchboardProps = {}) {
    super(scope, id);
    const { webSocketDomain, httpDomain, verifyToken, ...data } = props;
    if (verifyToken !== undefined && data.tokenIssuer !== undefined)
      throw new SettingsError('verifyToken takes the place of tokenIssuer; set only one of the two.');
    const settings = readSettings(data);
    const { deletionProtection, disableExecuteApiEndpoint } = settings;
    checkDomains({ webSocketDomain, httpDomain }, disableExecuteApiEndpoint);
    const removalPolicy = settings.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const logs = { logRetention: settings.logRetentionDays, removalPolicy };

    const sessions = new SessionTable(this, 'Sessions', { removalPolicy, deletionProtection });
    const state = new StateTable(this, 'State', { removalPolicy, deletionProtection });
    const tokens = new Tokens(this, settings, { removalPolicy, verifyToken });
    const webSocketApi = new WebSocketApi(this, 'WebSocketApi', {
      callbackEndpoint: settings.callbackEndpoint,
      tokenParameter: settings.tokenParameter,
      throttle: settings.webSocketThrottle,
      domain: webSocketDomain,
      disableExecuteApiEndpoint,
    });

    const fanOut = new FanOut(this, 'FanOutQueue');
    const checks = new SessionChecks(this, 'SessionChecks');
    const schedule = settings.scheduledPublishes ? new Schedule(this, 'ScheduleQueue') : undefined;
    const presence = settings.presence
      ? new Presence(this, 'Presence', settings.presenceGraceSeconds)
      : undefined;
    const resources = { sessions, state, tokens, webSocketApi, fanOut, checks, schedule, presence };
    const functions = createFunctions(this, resources, settings, logs);
    webSocketApi.addRoutes(functions);
    this.routes = new HttpApi(this, 'HttpApi', {
      ...functions,
      allowedOrigins: settings.allowedOrigins,
      throttle: settings.httpThrottle,
      domain: httpDomain,
      disableExecuteApiEndpoint,
      ...logs,
    });

    this.logging = { ...logs, logLevel: settings.logLevel };
    this.serviceTenants = { ...settings.serviceTenants };
    this.publisher = functions.publish;
    this.targets = new MessageTargets(functions.message);
    this.lifecycle = new Lifecycle(this, 'Lifecycle', {
      ...logs,
      sessions,
      disconnect: functions.disconnect,
      logLevel: settings.logLevel,
      reservedConcurrency: settings.reservedConcurrency.lifecycle,
    });

    this.webSocketUrl = webSocketApi.url;
    this.publishUrl = this.routes.publishUrl;
    this.publishFunction = functions.publish;
    this.tokenSecretArn = tokens.secretArn;
    this.listenerFunction = functions.message;
    this.webSocketApi = webSocketApi.api;
    this.webSocketStage = webSocketApi.stage;
    this.httpApi = this.routes.api;
    this.httpStage = this.routes.stage;
    this.sessionsTable = sessions.table;
    this.fanOutDeadLetters = fanOut.deadLetters;
  }

  /** Every alarm. None has an action yet: `for (const alarm of alarms) alarm.addAlarmAction(…)`. */
  get alarms(): readonly Alarm[] {
    return this.node.findAll().filter((construct) => construct instanceof Alarm);
  }

  /**
   * Adds a route to the HTTP API. The key is a method and a path, such as `GET /desk/agents/{agentId}` or `ANY /desk`.
   * It takes signed (SigV4) requests only: `addRoute(…).grantInvoke(service)` lets a service call it.
   */
  addRoute(routeKey: string, fn: IFunction): apigateway.HttpRoute {
    return this.routes.addRoute(routeKey, fn);
  }

  /**
   * Sends the messages of a type, or of all types that begin alike (`order-*`), to a function or an endpoint in any
   * language. Its answer becomes the ack. A listener in code comes first, then the most specific pattern.
   */
  addTarget(pattern: string, target: ListenerTarget): void {
    this.targets.add(pattern, target);
  }

  /** Tells a function, an endpoint or an event bus of every session that begins and ends, at least once. */
  addLifecycleTarget(target: LifecycleTarget): void {
    this.lifecycle.add(target);
  }

  /** Lets a service publish over HTTP, and cancel what it scheduled. Also by direct invocation, unless `serviceTenants` names callers. */
  grantPublish(service: IGrantable): void {
    this.routes.grant(service, 'publish');
    // A direct invocation does not say who invokes.
    if (!this.hasServiceTenants) this.publishFunction.grantInvoke(service);
  }

  /** Lets a function of this package publish over HTTP, in every tenant: its owner is that of the stack. */
  addOwnPublisher(fn: SwitchboardFunction): void {
    fn.allow(
      ['execute-api:Invoke'],
      [this.httpApi.arnForExecuteApi('POST', '/publish')],
      'The wildcard stands for the stage, and the API has one.',
    );
    if (!this.hasServiceTenants || fn.role === undefined) return;
    this.serviceTenants[fn.role.roleName] = '*';
    this.publisher.addEnvironment('SERVICE_TENANTS', JSON.stringify(this.serviceTenants));
  }

  /** Lets a service list and read sessions, and close those of a user or one by its connection id. */
  grantManageSessions(service: IGrantable): void {
    this.routes.grant(service, 'manageSessions');
  }

  /** Lets a service ask who is online. */
  grantReadPresence(service: IGrantable): void {
    this.routes.grant(service, 'readPresence');
  }

  /** Lets a service read publications with their reports, and the durable messages of channels. */
  grantReadMessages(service: IGrantable): void {
    this.routes.grant(service, 'readMessages');
  }

  private get hasServiceTenants(): boolean {
    return Object.keys(this.serviceTenants).length > 0;
  }
}
