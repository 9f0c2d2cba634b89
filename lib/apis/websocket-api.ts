import { Stack, Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Construct } from 'constructs';
import { addressOf, disableDefaultEndpoint } from './custom-domain.ts';
import type { SwitchboardFunction } from '../functions/switchboard-function.ts';

const stageName = 'live';

export interface WebSocketApiProps {
  /**
   * The URL in front of `/@connections/{id}`; `{apiId}` and `{stage}` are filled in.
   * @default '' - the stage's own, `https://{apiId}.execute-api.{region}.{suffix}/live`
   */
  readonly callbackEndpoint?: string;
  /** The query parameter that carries the token of a handshake. */
  readonly tokenParameter: string;
  /**
   * The requests that the stage takes, connects and messages together: per second, and at once.
   * @default - the account's limit
   */
  readonly throttle?: apigateway.ThrottleSettings;
  /** @default - the API has its default endpoint only */
  readonly domain?: apigateway.DomainMappingOptions | undefined;
  /** Whether the API answers at its domain only. */
  readonly disableExecuteApiEndpoint?: boolean;
}

/** The functions behind the routes. */
export interface WebSocketRoutes {
  readonly authorize: SwitchboardFunction;
  readonly connect: SwitchboardFunction;
  readonly disconnect: SwitchboardFunction;
  readonly message: SwitchboardFunction;
}

/** The WebSocket API and its one stage. Every message type arrives on `$default`: a new type needs no new route. */
export class WebSocketApi extends Construct {
  readonly api: apigateway.WebSocketApi;
  readonly stage: apigateway.WebSocketStage;
  /** `wss://…/live`, or the address of the domain */
  readonly url: string;
  /**
   * The URL in front of `/@connections/{id}`. An event's domain name and stage do not give it: behind a custom domain,
   * that address does not answer.
   */
  readonly callbackEndpoint: string;
  private readonly tokenParameter: string;

  constructor(scope: Construct, id: string, props: WebSocketApiProps) {
    super(scope, id);
    this.tokenParameter = props.tokenParameter;
    this.api = new apigateway.WebSocketApi(this, 'Api', {
      description: 'Switchboard: the connections of users',
      // API Gateway requires this. It has no effect, because no route key is a message type.
      routeSelectionExpression: '$request.body.type',
    });
    this.stage = new apigateway.WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName,
      autoDeploy: true,
      ...(props.throttle && { throttle: props.throttle }),
      ...(props.domain && { domainMapping: props.domain }),
    });
    this.url = props.domain ? `wss://${addressOf(props.domain)}` : this.stage.url;
    if (props.disableExecuteApiEndpoint) disableDefaultEndpoint(this.api);
    this.callbackEndpoint =
      props.callbackEndpoint === undefined || props.callbackEndpoint === ''
        ? this.ownCallbackEndpoint(props)
        : props.callbackEndpoint.replaceAll('{apiId}', this.api.apiId).replaceAll('{stage}', stageName);

    Validations.of(this.stage).acknowledge({
      id: 'AwsSolutions-APIG1',
      reason:
        'Logs of a WebSocket stage need a CloudWatch role that is set once for a whole account and Region ' +
        '(https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html): not ours to set.',
    });
  }

  /** Puts the functions behind the routes. */
  addRoutes(functions: WebSocketRoutes): void {
    this.api.addRoute('$connect', {
      integration: new WebSocketLambdaIntegration('Connect', functions.connect),
      // CDK's default is the Authorization header, which a browser cannot send with a handshake.
      authorizer: new WebSocketLambdaAuthorizer('Authorizer', functions.authorize, {
        identitySource: [`route.request.querystring.${this.tokenParameter}`],
      }),
    });
    const disconnect = this.api.addRoute('$disconnect', {
      integration: new WebSocketLambdaIntegration('Disconnect', functions.disconnect),
    });
    const message = this.api.addRoute('$default', {
      integration: new WebSocketLambdaIntegration('Message', functions.message),
      // Acks and errors go back through the route response. Without one, API Gateway drops the function's answer.
      returnResponse: true,
    });
    for (const route of [disconnect, message]) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'API Gateway authorizes a WebSocket connection at $connect, and takes no authorizer on other routes.',
      });
    }
  }

  /** Posts to connections of this stage. */
  grantSend(fn: SwitchboardFunction): void {
    this.grant(fn, ['POST']);
  }

  /** Asks whether connections of this stage are there. */
  grantProbe(fn: SwitchboardFunction): void {
    this.grant(fn, ['GET']);
  }

  /** Closes connections of this stage. The reason is posted first. */
  grantClose(fn: SwitchboardFunction): void {
    this.grant(fn, ['POST', 'DELETE']);
  }

  /**
   * The default endpoint, as long as it is on: it needs no DNS record. Behind a domain, the path begins with the mapping
   * key and has no stage (https://docs.aws.amazon.com/cli/latest/reference/apigatewaymanagementapi/).
   */
  private ownCallbackEndpoint({ domain, disableExecuteApiEndpoint }: WebSocketApiProps): string {
    return domain && disableExecuteApiEndpoint ? `https://${addressOf(domain)}` : this.stage.callbackUrl;
  }

  private grant(fn: SwitchboardFunction, methods: readonly string[]): void {
    const resources = methods.map((method) => this.connections(method));
    fn.allow(
      ['execute-api:ManageConnections'],
      resources,
      'Connection ids are not known before users connect.',
    );
  }

  private connections(method: string): string {
    return Stack.of(this).formatArn({
      service: 'execute-api',
      resource: this.api.apiId,
      resourceName: `${stageName}/${method}/@connections/*`,
    });
  }
}
