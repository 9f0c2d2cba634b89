import {
  integrationUri,
  lambda,
  permission,
  type FunctionOptions,
  type Properties,
  type Resources,
} from './inline-functions.ts';

export interface WebSocketRouteSpec extends FunctionOptions {
  /** The code of the route's function, which runs after it has printed its event. */
  readonly body?: string;
  readonly returnsResponse?: boolean;
  readonly integration?: Properties;
  /** No AWS::Lambda::Permission for API Gateway. */
  readonly unpermitted?: boolean;
}

export interface WebSocketSpec {
  readonly routes: Readonly<Record<string, WebSocketRouteSpec>>;
  readonly authorizer?: WebSocketRouteSpec & { readonly identitySource?: readonly string[] };
  readonly stageVariables?: Properties;
}

/** The id of a route's function in the template and in the log: `Connect` for `$connect`. */
export function functionIdOf(routeKey: string): string {
  const name = routeKey.replace('$', '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** A WebSocket API with the stage `live`, in the resources that CDK would make of it. */
export function webSocketStack({ routes, authorizer, stageVariables = {} }: WebSocketSpec): Resources {
  const resources: Record<string, Resources[string]> = {
    Api: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: { Name: 'api', ProtocolType: 'WEBSOCKET', RouteSelectionExpression: '$request.body.type' },
    },
    Stage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: { ApiId: ref('Api'), StageName: 'live', AutoDeploy: true, StageVariables: stageVariables },
    },
  };
  for (const [routeKey, spec] of Object.entries(routes)) {
    const id = functionIdOf(routeKey);
    Object.assign(resources, lambda(id, spec.body ?? 'return { statusCode: 200 };', spec));
    if (!spec.unpermitted) Object.assign(resources, permission(id, 'Api', `*${routeKey}`));
    resources[`${id}Integration`] = {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: ref('Api'),
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: integrationUri(id),
        ...spec.integration,
      },
    };
    const isGuarded = routeKey === '$connect' && authorizer !== undefined;
    resources[`${id}Route`] = {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: ref('Api'),
        RouteKey: routeKey,
        AuthorizationType: isGuarded ? 'CUSTOM' : 'NONE',
        ...(isGuarded ? { AuthorizerId: ref('Authorizer') } : {}),
        ...(spec.returnsResponse ? { RouteResponseSelectionExpression: '$default' } : {}),
        Target: { 'Fn::Join': ['', ['integrations/', ref(`${id}Integration`)]] },
      },
    };
    if (spec.returnsResponse) {
      resources[`${id}RouteResponse`] = {
        Type: 'AWS::ApiGatewayV2::RouteResponse',
        Properties: { ApiId: ref('Api'), RouteId: ref(`${id}Route`), RouteResponseKey: '$default' },
      };
    }
  }
  if (authorizer) {
    Object.assign(resources, lambda('Authorize', authorizer.body ?? allow(), authorizer));
    if (!authorizer.unpermitted) Object.assign(resources, permission('Authorize', 'Api', 'authorizers/*'));
    resources.Authorizer = {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        ApiId: ref('Api'),
        Name: 'authorizer',
        AuthorizerType: 'REQUEST',
        AuthorizerUri: integrationUri('Authorize'),
        IdentitySource: authorizer.identitySource ?? ['route.request.querystring.token'],
      },
    };
  }
  return resources;
}

/** An authorizer's body: allows the connection with this context. */
export function allow(context: Properties = {}): string {
  return `return {
    principalId: 'user-1',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn }],
    },
    context: ${JSON.stringify(context)},
  };`;
}

function ref(logicalId: string): Properties {
  return { Ref: logicalId };
}
