import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpIamAuthorizer,
  HttpLambdaAuthorizer,
  HttpLambdaResponseType,
} from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { RouteKey } from '../lambdas/http/routes.ts';
import type { SwitchboardFunction } from './switchboard-function.ts';

const { GET, POST, DELETE } = apigateway.HttpMethod;

/** The routes of the function `api`. A route that its code lacks does not compile. */
const serviceRoutes = {
  'GET /sessions': GET,
  'DELETE /sessions': DELETE,
  'GET /sessions/{connectionId}': GET,
  'DELETE /sessions/{connectionId}': DELETE,
  'GET /publications/{messageId}': GET,
  'GET /channels/{channel}/messages': GET,
} satisfies Record<RouteKey, apigateway.HttpMethod>;

export interface HttpApiProps {
  /** Answers `POST /publish`. */
  readonly publish: SwitchboardFunction;
  /** Answers `POST /messages`, which users call with their tokens. */
  readonly message: SwitchboardFunction;
  /** Verifies those tokens. */
  readonly authorize: SwitchboardFunction;
  /** The origins whose pages may call `POST /messages`. Empty: all. */
  readonly allowedOrigins: readonly string[];
  /** Answers every other route. */
  readonly api: SwitchboardFunction;
  readonly logRetention: RetentionDays;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * The API for services that publish and administer. Their routes take signed (SigV4) requests only. Users call
 * `POST /messages` if a frame is too large for a connection.
 */
export class HttpApi extends Construct {
  readonly publishUrl: string;
  private readonly publishRoutes: readonly apigateway.HttpRoute[];

  constructor(scope: Construct, id: string, props: HttpApiProps) {
    super(scope, id);
    const api = new apigateway.HttpApi(this, 'Api', {
      description: 'Switchboard: publishing and administration',
      // A default authorizer, so that a route that is added later takes no unsigned requests.
      defaultAuthorizer: new HttpIamAuthorizer(),
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: props.allowedOrigins.length > 0 ? [...props.allowedOrigins] : ['*'],
        allowMethods: [apigateway.CorsHttpMethod.POST],
        allowHeaders: ['authorization', 'content-type'],
        maxAge: Duration.days(1),
      },
    });
    const stage = new apigateway.HttpStage(this, 'Stage', {
      httpApi: api,
      autoDeploy: true,
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
    this.publishUrl = `${stage.url}publish`;

    const publish = new HttpLambdaIntegration('Publish', props.publish);
    this.publishRoutes = api.addRoutes({ path: '/publish', methods: [POST], integration: publish });

    api.addRoutes({
      path: '/messages',
      methods: [POST],
      integration: new HttpLambdaIntegration('Message', props.message),
      authorizer: new HttpLambdaAuthorizer('Bearer', props.authorize, {
        responseTypes: [HttpLambdaResponseType.SIMPLE],
        // A cached result could outlive the token.
        resultsCacheTtl: Duration.seconds(0),
      }),
    });

    const administration = new HttpLambdaIntegration('Administration', props.api);
    for (const [key, method] of Object.entries(serviceRoutes)) {
      const path = key.slice(`${method} `.length);
      api.addRoutes({ path, methods: [method], integration: administration });
    }
  }

  grantPublish(service: IGrantable): void {
    for (const route of this.publishRoutes) route.grantInvoke(service);
  }
}
