import {
  integrationUri,
  lambda,
  permission,
  type FunctionOptions,
  type Properties,
  type Resources,
} from './inline-functions.ts';

export interface HttpRouteSpec extends FunctionOptions {
  readonly body?: string;
  readonly authorization?: 'AWS_IAM' | 'CUSTOM';
  readonly integration?: Properties;
  readonly unpermitted?: boolean;
}

export interface HttpSpec {
  /** Functions are named F0, F1, … in the order of the routes. */
  readonly routes: Readonly<Record<string, HttpRouteSpec>>;
  readonly stage?: string;
  readonly stageVariables?: Properties;
  readonly cors?: Properties;
  readonly authorizer?: FunctionOptions & { readonly body: string; readonly properties?: Properties };
}

/** An HTTP API in the resources that CDK would make of it. */
export function httpStack({
  routes,
  stage = '$default',
  stageVariables,
  cors,
  authorizer,
}: HttpSpec): Resources {
  const resources: Record<string, Resources[string]> = {
    Http: {
      Type: 'AWS::ApiGatewayV2::Api',
      Properties: { Name: 'http', ProtocolType: 'HTTP', ...(cors ? { CorsConfiguration: cors } : {}) },
    },
    HttpStage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: {
        ApiId: ref('Http'),
        StageName: stage,
        AutoDeploy: true,
        ...(stageVariables ? { StageVariables: stageVariables } : {}),
      },
    },
  };
  for (const [at, [routeKey, spec]] of Object.entries(routes).entries()) {
    const id = `F${String(at)}`;
    Object.assign(
      resources,
      lambda(id, spec.body ?? 'return { statusCode: 200, body: event.routeKey };', spec),
    );
    // As CDK writes it: any stage, any method, the path with its variables; nothing after that for $default.
    const path = routeKey === '$default' ? '' : routeKey.replace(/^\S+ /, '');
    if (!spec.unpermitted) Object.assign(resources, permission(id, 'Http', `*/*${path}`));
    resources[`${id}Integration`] = {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: ref('Http'),
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: { 'Fn::GetAtt': [id, 'Arn'] },
        PayloadFormatVersion: '2.0',
        ...spec.integration,
      },
    };
    resources[`${id}Route`] = {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: ref('Http'),
        RouteKey: routeKey,
        AuthorizationType: spec.authorization ?? 'NONE',
        ...(spec.authorization === 'CUSTOM' ? { AuthorizerId: ref('HttpAuthorizer') } : {}),
        Target: { 'Fn::Join': ['', ['integrations/', ref(`${id}Integration`)]] },
      },
    };
  }
  if (authorizer) {
    Object.assign(resources, lambda('Authorize', authorizer.body, authorizer));
    Object.assign(resources, permission('Authorize', 'Http', 'authorizers/*'));
    resources.HttpAuthorizer = {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        ApiId: ref('Http'),
        Name: 'authorizer',
        AuthorizerType: 'REQUEST',
        AuthorizerUri: integrationUri('Authorize'),
        AuthorizerPayloadFormatVersion: '2.0',
        EnableSimpleResponses: true,
        IdentitySource: ['$request.header.Authorization'],
        ...authorizer.properties,
      },
    };
  }
  return resources;
}

function ref(logicalId: string): Properties {
  return { Ref: logicalId };
}
