import { RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FanOut } from './fan-out.ts';
import { createFunctions } from './functions.ts';
import { HttpApi } from './http-api.ts';
import { Lifecycle } from './lifecycle.ts';
import type { LifecycleTarget, ListenerTarget } from './listener-target.ts';
import { MessageTargets } from './message-targets.ts';
import { StateTable } from './state-table.ts';
import { SessionTable } from './session-table.ts';
import { readSettings } from './settings.ts';
import { TokenSecret } from './token-secret.ts';
import { WebSocketApi } from './websocket-api.ts';

export interface SwitchboardProps {
  /**
   * The number of partitions that hold a tenant's audience. A partition takes 1,000 writes per second, and workers send
   * to partitions in parallel. It can be raised at any time. If it is lowered, sessions in the removed shards are not
   * found until they connect again, within two hours.
   * @default 8
   */
  readonly shards?: number;
  /**
   * The largest audience that one publish sends to before it answers.
   * @default 500
   */
  readonly inlineLimit?: number;
  /**
   * Posts per second that all workers of the fan-out together make. The account's APIs share 10,000 requests per
   * second in a Region. The rest is for connects, messages and small publishes.
   * @default 8000
   */
  readonly fanOutRate?: number;
  /**
   * The number of workers that send at the same time. Each keeps to its share of the rate.
   * @default 8
   */
  readonly fanOutWorkers?: number;
  /**
   * The URL in front of `/@connections/{id}` that functions send to; `{apiId}` and `{stage}` are filled in. Needed for
   * a custom domain if the API's execute-api endpoint is off.
   * @default '' - the stage's own, `https://{apiId}.execute-api.{region}.{suffix}/live`
   */
  readonly callbackEndpoint?: string;
  /**
   * The origins whose pages may connect, such as `https://app.example.com`.
   * @default [] - every origin
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * The name that each claim has in the tokens.
   * @default {userId: 'sub', userType: 'userType', tenant: 'tenant', topics: 'topics'}
   */
  readonly tokenClaims?: {
    readonly userId?: string;
    readonly userType?: string;
    readonly tenant?: string;
    readonly topics?: string;
  };
  /**
   * Patterns of durable topics, such as `orders.*`. Their messages are stored unless a publish says otherwise.
   * @default []
   */
  readonly durableTopics?: readonly string[];
  /**
   * The requests that the WebSocket stage takes, connects and messages together: per second, and at once. The limit
   * keeps a flood of clients from using up the rate that the account's APIs share.
   * @default - the account's limits, 10,000 per second and 5,000 at once
   */
  readonly webSocketThrottle?: { readonly rateLimit: number; readonly burstLimit: number } | undefined;
  /** @default 'INFO' */
  readonly logLevel?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /**
   * The number of days that logs are kept: one of the periods of CloudWatch Logs.
   * @default 30
   */
  readonly logRetentionDays?: number;
  /**
   * What happens to the tables, the token secret and the logs when the stack is deleted.
   * @default 'retain'
   */
  readonly removalPolicy?: 'retain' | 'destroy';
}

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
  /** Where users connect, with `?token=`: `wss://…/live`. */
  readonly webSocketUrl: string;
  /** Where services publish, with SigV4: `https://…/publish`. */
  readonly publishUrl: string;
  /** The secret in Secrets Manager that your backend signs the users' tokens with (HS256). */
  readonly tokenSecretArn: string;
  /** Takes the body of `POST /publish` by direct invocation, which saves the price of the request. */
  readonly publishFunction: IFunction;

  private readonly httpApi: HttpApi;
  private readonly targets: MessageTargets;
  private readonly lifecycle: Lifecycle;

  constructor(scope: Construct, id: string, props: SwitchboardProps = {}) {
    super(scope, id);
    const settings = readSettings(props);
    const removalPolicy = settings.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const logs = { logRetention: settings.logRetentionDays, removalPolicy };

    const sessions = new SessionTable(this, 'Sessions', { removalPolicy });
    const state = new StateTable(this, 'State', { removalPolicy });
    const tokenSecret = new TokenSecret(this, 'TokenSecret', { removalPolicy });
    const webSocketApi = new WebSocketApi(this, 'WebSocketApi', {
      callbackEndpoint: settings.callbackEndpoint,
      throttle: settings.webSocketThrottle,
    });

    const fanOut = new FanOut(this, 'FanOutQueue');
    const resources = { sessions, state, tokenSecret, webSocketApi, fanOut };
    const functions = createFunctions(this, resources, settings, logs);
    webSocketApi.addRoutes(functions);
    this.httpApi = new HttpApi(this, 'HttpApi', {
      ...functions,
      allowedOrigins: settings.allowedOrigins,
      ...logs,
    });

    this.targets = new MessageTargets(functions.message);
    this.lifecycle = new Lifecycle(this, 'Lifecycle', {
      ...logs,
      sessions,
      recorders: [functions.message, functions.api, functions.disconnect],
      logLevel: settings.logLevel,
    });

    this.webSocketUrl = webSocketApi.url;
    this.publishUrl = this.httpApi.publishUrl;
    this.publishFunction = functions.publish;
    this.tokenSecretArn = tokenSecret.secretArn;
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

  /** Lets a service publish, over HTTP and by direct invocation. */
  grantPublish(service: IGrantable): void {
    this.httpApi.grantPublish(service);
    this.publishFunction.grantInvoke(service);
  }
}
