import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpIamAuthorizer,
  HttpLambdaAuthorizer,
  HttpLambdaResponseType,
} from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { RouteKey } from '../../lambdas/http/routes.ts';
import { addressOf } from './custom-domain.ts';
import { readRouteKey, withoutNames } from './route-key.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';

const { GET, POST, DELETE } = apigateway.HttpMethod;

/** The routes of the function `api`. A route that its code lacks does not compile. */
const serviceRoutes = {
  'GET /sessions': GET,
  'DELETE /sessions': DELETE,
  'GET /sessions/{connectionId}': GET,
  'DELETE /sessions/{connectionId}': DELETE,
  'GET /publications/{messageId}': GET,
  'DELETE /publications/{messageId}': DELETE,
  'GET /channels/{channel}/messages': GET,
  'GET /presence': GET,
} satisfies Record<RouteKey, apigateway.HttpMethod>;

type ServiceRoute = RouteKey | 'POST /publish';

/** The routes that each grant lets a service call. */
const granted = {
  publish: ['POST /publish', 'DELETE /publications/{messageId}'],
  manageSessions: [
    'GET /sessions',
    'DELETE /sessions',
    'GET /sessions/{connectionId}',
    'DELETE /sessions/{connectionId}',
  ],
  readMessages: ['GET /publications/{messageId}', 'GET /channels/{channel}/messages'],
  readPresence: ['GET /presence'],
} satisfies Record<string, readonly ServiceRoute[]>;

export interface HttpApiProps {
  /** Answers `POST /publish`. */
  readonly publish: SwitchboardFunction;
  /** Answers `POST /messages`, which users call with their tokens. */
  readonly message: SwitchboardFunction;
  /** Answers `POST /tickets`, which users call with their tokens too. `undefined`: there is no such route. */
  readonly tickets: SwitchboardFunction | undefined;
  /** Verifies those tokens. */
  readonly authorize: SwitchboardFunction;
  /** The origins whose pages may call the routes of users. Empty: all. */
  readonly allowedOrigins: readonly string[];
  /** Answers every other route. */
  readonly api: SwitchboardFunction;
  /** The requests that the stage takes: per second, and at once. */
  readonly throttle: apigateway.ThrottleSettings;
  readonly logRetention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
  readonly domain: apigateway.DomainMappingOptions | undefined;
  /** Whether the API answers at its domain only. */
  readonly disableExecuteApiEndpoint: boolean;
}

/**
 * The API for services that publish and administer. Their routes take signed (SigV4) requests only. Users call
 * `POST /messages` if a frame is too large for a connection, and `POST /tickets` before they connect.
 */
export class HttpApi extends Construct {
  readonly api: apigateway.HttpApi;
  readonly stage: apigateway.HttpStage;
  readonly publishUrl: string;
  private readonly routes = new Map<string, apigateway.HttpRoute>();
  private readonly ownRoutes = new Set<string>();

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    this.api = new apigateway.HttpApi(this, 'Api', {
      description: 'Switchboard: publishing and administration',
      // A default authorizer, so that a route that is added later takes no unsigned requests.
      defaultAuthorizer: new HttpIamAuthorizer(),
      createDefaultStage: false,
      ...(props.disableExecuteApiEndpoint && { disableExecuteApiEndpoint: true }),
      corsPreflight: {
        allowOrigins: props.allowedOrigins.length > 0 ? [...props.allowedOrigins] : ['*'],
        allowMethods: [apigateway.CorsHttpMethod.POST],
        allowHeaders: ['authorization', 'content-type'],
        maxAge: Duration.days(1),
      },
    });
    this.stage = new apigateway.HttpStage(this, 'Stage', {
      httpApi: this.api,
      autoDeploy: true,
      throttle: props.throttle,
      ...(props.domain && { domainMapping: props.domain }),
      accessLogSettings: {
        destination: new apigateway.LogGroupLogDestination(
          new LogGroup(this, 'AccessLogs', {
            retention: props.logRetention,
            removalPolicy: props.removalPolicy,
          }),
        ),
      },
    });
    // The stage's URL ends in a slash.
    this.publishUrl = props.domain
      ? `https://${addressOf(props.domain)}/publish`
      : `${this.stage.url}publish`;

    this.add('POST /publish', POST, new HttpLambdaIntegration('Publish', props.publish));

    const bearer = new HttpLambdaAuthorizer('Bearer', props.authorize, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      // A cached result could outlive the token.
      resultsCacheTtl: Duration.seconds(0),
    });
    this.addForUsers('/messages', new HttpLambdaIntegration('Message', props.message), bearer);
    if (props.tickets)
      this.addForUsers('/tickets', new HttpLambdaIntegration('Tickets', props.tickets), bearer);

    const administration = new HttpLambdaIntegration('Administration', props.api);
    for (const [key, method] of Object.entries(serviceRoutes)) {
      this.add(key, method, administration);
    }
  }

  /** Adds a route of one's own. It takes signed requests only, by the API's default authorizer. */
  addRoute(key: string, fn: IFunction): apigateway.HttpRoute {
    const route = readRouteKey(key);
    const unique = withoutNames(route);
    if (this.ownRoutes.has(unique)) throw new Error(`Route ${JSON.stringify(key)} exists already.`);
    this.ownRoutes.add(unique);
    return this.add(key, route.method, new HttpLambdaIntegration('Own', fn));
  }

  /** Lets a service call the routes of a grant, and no others. */
  grant(service: IGrantable, rights: keyof typeof granted): void {
    const keys: readonly string[] = granted[rights];
    for (const [key, route] of this.routes) if (keys.includes(key)) route.grantInvoke(service);
  }

  private addForUsers(
    path: string,
    integration: HttpLambdaIntegration,
    authorizer: HttpLambdaAuthorizer,
  ): void {
    this.api.addRoutes({ path, methods: [POST], integration, authorizer });
  }

  private add(
    key: string,
    method: apigateway.HttpMethod,
    integration: HttpLambdaIntegration,
  ): apigateway.HttpRoute {
    const path = key.slice(`${method} `.length);
    const [route] = this.api.addRoutes({ path, methods: [method], integration });
    if (route === undefined) throw new Error(`CDK made no route ${key}.`);
    this.routes.set(key, route);
    return route;
  }
}
