import type * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../../lambdas/environment.ts';
import type { TokenIssuer } from './token-issuer.ts';

/** A rate per second on average, and the most at once. */
export interface Throttle {
  readonly rateLimit: number;
  readonly burstLimit: number;
}

export interface SwitchboardProps {
  /**
   * The path of a module (`.ts`, `.js`, …) whose default export is a list of listeners, made by `defineListener` of
   * `switchboard/listener`; or a list of such paths. The module is bundled with all that it imports.
   * `join(import.meta.dirname, 'listeners.ts')` works in any working directory.
   * @default [] - clients can send only the frames of the protocol
   */
  readonly listeners?: string | readonly string[];
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
   * Whether a publish may name a later time in `deliverAt`. The stack then has a function that runs every minute, and a
   * queue: about $0.40 a month while nothing is scheduled.
   * @default false
   */
  readonly scheduledPublishes?: boolean;
  /**
   * The URL in front of `/@connections/{id}` that functions send to; `{apiId}` and `{stage}` are filled in.
   * @default '' - the stage's own, `https://{apiId}.execute-api.{region}.{suffix}/live`; with
   * `disableExecuteApiEndpoint`, the address of `webSocketDomain`
   */
  readonly callbackEndpoint?: string;
  /**
   * The origins whose pages may connect, such as `https://app.example.com`.
   * @default [] - every origin
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Whose tokens users connect with: the generated secret (HS256, HS384, HS512), an identity provider by its public
   * keys, or several of them. Without `secret` in it the stack has no secret.
   * @default 'secret'
   */
  readonly tokenIssuer?: TokenIssuer | readonly TokenIssuer[];
  /**
   * A function that verifies tokens in place of `tokenIssuer`. It gets `{"token"}` and answers the claims as the payload
   * of a JWT would hold them, or null to refuse the token. The stack then has no secret.
   * @default - tokens are JWTs of `tokenIssuer`
   */
  readonly verifyToken?: IFunction | undefined;
  /**
   * What opens connections: a token in the URL, a ticket of `POST /tickets`, or either. A ticket works once, within 30 s,
   * so a URL in a log opens nothing. With `token` the stack has no route for tickets.
   * @default 'either'
   */
  readonly connectWith?: 'token' | 'ticket' | 'either';
  /**
   * The name that each claim has in the tokens.
   * @default {userId: 'sub', userType: 'userType', tenant: 'tenant', topics: 'topics', send: 'send', watch: 'watch',
   *   contentAs: 'contentAs'}
   */
  readonly tokenClaims?: {
    readonly userId?: string;
    readonly userType?: string;
    readonly tenant?: string;
    readonly topics?: string;
    readonly send?: string;
    readonly watch?: string;
    readonly contentAs?: string;
  };
  /**
   * The claims that listeners and targets see as `from.claims`, by their names in the tokens. Text stays as it is, any
   * other value becomes JSON text. They have 1 KB together.
   * @default []
   */
  readonly claims?: readonly string[];
  /**
   * The types of users who get the content of every frame as JSON text, such as `['member']`: for front ends that parse
   * `content` themselves. The claim `contentAs` of a token says otherwise for its session.
   * @default [] - content has the form of its sender, which is JSON as it is, unless that is a front end of this kind
   */
  readonly textContentFor?: readonly string[];
  /**
   * How long a token may be valid, in seconds, from its `iat` and from now: 1 to 315,360,000.
   * @default 2592000 - 30 days
   */
  readonly maxTokenLifetimeSeconds?: number;
  /**
   * Whether a token without a tenant is refused. Otherwise its tenant is `default`.
   * @default false
   */
  readonly requireTenant?: boolean;
  /**
   * The query parameter that carries the token of a handshake. `@switchboard/client` has an option of the same name.
   * @default 'token'
   */
  readonly tokenParameter?: string;
  /**
   * The most sessions that a user may have open, 1 to 100. One more closes the oldest.
   * @default 20
   */
  readonly maxSessionsPerUser?: number;
  /**
   * Whether clients may watch who comes and goes (`watch`), and the last time that each user was seen is kept. It deploys
   * the function `presence` and turns the stream of the sessions table on.
   * @default false
   */
  readonly presence?: boolean;
  /**
   * Watchers are told of nobody who is away for less, such as by a reload: 0 to 900 seconds.
   * @default 10
   */
  readonly presenceGraceSeconds?: number;
  /**
   * Patterns of durable topics, such as `orders.*`. Their messages are stored unless a publish says otherwise.
   * @default []
   */
  readonly durableTopics?: readonly string[];
  /**
   * The tenant of each service, by the name of its IAM role or user; `*` stands for every tenant. A service cannot reach
   * another tenant then, a caller that is not named is refused, and `grantPublish` allows no direct invocation.
   * `{ [role.roleName]: 'acme' }` names a role of the app.
   * @default {} - every caller that IAM allows may use every tenant
   */
  readonly serviceTenants?: Readonly<Record<string, string>>;
  /**
   * The requests that the WebSocket stage takes, connects and messages together: per second, and at once. The limit
   * keeps a flood of clients from using up the rate that the account's APIs share: 10,000 per second, 5,000 at once.
   * @default {rateLimit: 5000, burstLimit: 2500}
   */
  readonly webSocketThrottle?: Throttle;
  /**
   * The requests that the HTTP stage takes: per second, and at once.
   * @default {rateLimit: 2000, burstLimit: 1000}
   */
  readonly httpThrottle?: Throttle;
  /**
   * The executions that Lambda keeps for a function, by its name, such as `{publish: 50}`. They are also the most that
   * it may have at the same time.
   * @default {} - all functions share the account's executions
   */
  readonly reservedConcurrency?: { readonly [F in FunctionName]?: number };
  /**
   * The units that a connection may send, per second and at once. Most frames cost 1. `subscribe`, `recover`, `refresh`
   * and the frames of the inbox cost 5. Above the limit a frame is answered by `rate_limited`.
   * @default {rateLimit: 20, burstLimit: 40}
   */
  readonly connectionRate?: Throttle;
  /**
   * The same for a user: all connections together, handshakes, and `POST /messages`.
   * @default {rateLimit: 100, burstLimit: 200}
   */
  readonly userRate?: Throttle;
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
  /**
   * Whether DynamoDB refuses to delete the tables. They then stay even if `removalPolicy` is `destroy`, and the deletion
   * of the stack fails.
   * @default false
   */
  readonly deletionProtection?: boolean;
  /**
   * The domain of the WebSocket API, a regional one. Its DNS record is yours.
   * @default - clients connect to the API's default endpoint
   */
  readonly webSocketDomain?: apigateway.DomainMappingOptions | undefined;
  /**
   * The domain of the HTTP API. It cannot be that of the WebSocket API.
   * @default - services call the API's default endpoint
   */
  readonly httpDomain?: apigateway.DomainMappingOptions | undefined;
  /**
   * Whether both APIs answer at their domains only. Functions then send through `webSocketDomain` too.
   * @default false
   */
  readonly disableExecuteApiEndpoint?: boolean;
}
