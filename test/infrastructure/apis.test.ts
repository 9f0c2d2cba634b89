import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import { Switchboard } from '../../lib/index.ts';
import { createOwnStack, createStack, outputsOf, resourcesOf } from './stack-under-test.ts';

const stack = createStack();
const routes = resourcesOf(stack, 'AWS::ApiGatewayV2::Route').map(({ properties }) => properties);
const executeApi = 'https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live';

describe('the WebSocket API', () => {
  const webSocketRoutes = routes.filter(({ ApiId }) => ApiId === '${WebSocketApi}');

  it('takes every message type on $default, so that a new type needs no new route', () => {
    expect(webSocketRoutes.map(({ RouteKey }) => RouteKey).sort()).toEqual([
      '$connect',
      '$default',
      '$disconnect',
    ]);
  });

  it('asks the authorizer at $connect, with the token in the query, because a browser can send no header', () => {
    const connect = webSocketRoutes.find(({ RouteKey }) => RouteKey === '$connect');
    const [authorizer, ...others] = resourcesOf(stack, 'AWS::ApiGatewayV2::Authorizer').filter(
      ({ properties }) => properties['ApiId'] === '${WebSocketApi}',
    );
    expect(others).toEqual([]);
    expect(connect).toMatchObject({
      AuthorizationType: 'CUSTOM',
      AuthorizerId: `\${${authorizer?.logicalId ?? ''}}`,
    });
    expect(authorizer?.properties).toMatchObject({
      AuthorizerType: 'REQUEST',
      IdentitySource: ['route.request.querystring.token'],
      AuthorizerUri: expect.stringContaining('${Authorize.Arn}') as unknown,
    });
  });

  it('returns the answer of the message function, and of no other function', () => {
    const answered = webSocketRoutes.filter((route) => 'RouteResponseSelectionExpression' in route);
    expect(answered).toMatchObject([{ RouteKey: '$default', RouteResponseSelectionExpression: '$default' }]);
    expect(resourcesOf(stack, 'AWS::ApiGatewayV2::RouteResponse')).toMatchObject([
      { properties: { RouteResponseKey: '$default' } },
    ]);
  });

  it('has one stage, live, which is deployed automatically', () => {
    const stage = resourcesOf(stack, 'AWS::ApiGatewayV2::Stage').find(
      ({ properties }) => properties['ApiId'] === '${WebSocketApi}',
    );
    expect(stage?.properties).toMatchObject({ StageName: 'live', AutoDeploy: true });
  });
});

describe('the throttle of each stage', () => {
  const throttleOf = (of: typeof stack, api: string) =>
    resourcesOf(of, 'AWS::ApiGatewayV2::Stage').find(({ properties }) => properties['ApiId'] === api)
      ?.properties['DefaultRouteSettings'];

  it('leaves a part of the rate that the account has', () => {
    const webSocket = { ThrottlingRateLimit: 5000, ThrottlingBurstLimit: 2500 };
    expect(throttleOf(stack, '${WebSocketApi}')).toEqual(webSocket);
    expect(throttleOf(stack, '${HttpApi}')).toEqual({
      ThrottlingRateLimit: 2000,
      ThrottlingBurstLimit: 1000,
    });
  });

  it('is what the setting says', () => {
    const own = createStack({
      webSocketThrottle: { rateLimit: 200, burstLimit: 50 },
      httpThrottle: { rateLimit: 20, burstLimit: 5 },
    });
    expect(throttleOf(own, '${WebSocketApi}')).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 50,
    });
    expect(throttleOf(own, '${HttpApi}')).toEqual({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 5 });
  });
});

describe('the HTTP API', () => {
  const httpRoutes = routes.filter(({ ApiId }) => ApiId === '${HttpApi}');

  it.each([
    ['POST /publish', 'Publish'],
    ['GET /publications/{messageId}', 'Api'],
    ['DELETE /publications/{messageId}', 'Api'],
    ['GET /channels/{channel}/messages', 'Api'],
    ['GET /presence', 'Api'],
    ['POST /messages', 'Message'],
    ['POST /tickets', 'Tickets'],
    ['GET /sessions', 'Api'],
    ['DELETE /sessions', 'Api'],
    ['GET /sessions/{connectionId}', 'Api'],
    ['DELETE /sessions/{connectionId}', 'Api'],
  ])('sends %s to the function %s', (key, functionId) => {
    const route = httpRoutes.find(({ RouteKey }) => RouteKey === key);
    const integration = resourcesOf(stack, 'AWS::ApiGatewayV2::Integration').find(
      ({ logicalId }) => route?.['Target'] === `integrations/\${${logicalId}}`,
    );
    expect(integration?.properties).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: `\${${functionId}.Arn}`,
      PayloadFormatVersion: '2.0',
    });
  });

  it('takes signed requests only, on every route except those of users', () => {
    expect(httpRoutes).toHaveLength(11);
    const others = httpRoutes.filter(({ AuthorizationType }) => AuthorizationType !== 'AWS_IAM');
    expect(others).toMatchObject([
      { RouteKey: 'POST /messages', AuthorizationType: 'CUSTOM', AuthorizerId: '${HttpApiBearer}' },
      { RouteKey: 'POST /tickets', AuthorizationType: 'CUSTOM', AuthorizerId: '${HttpApiBearer}' },
    ]);
  });

  it('asks the authorizer for every request of a user, so that no result outlives its token', () => {
    const authorizers = resourcesOf(stack, 'AWS::ApiGatewayV2::Authorizer').map(
      ({ properties }) => properties,
    );
    expect(authorizers.find(({ Name }) => Name === 'Bearer')).toMatchObject({
      AuthorizerPayloadFormatVersion: '2.0',
      AuthorizerResultTtlInSeconds: 0,
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
    });
  });

  it.each([
    [[], ['*']],
    [['https://app.example.com'], ['https://app.example.com']],
  ])('lets pages of the allowed origins call it: %j', (allowedOrigins, AllowOrigins) => {
    const [api] = resourcesOf(createStack({ allowedOrigins }), 'AWS::ApiGatewayV2::Api').filter(
      ({ logicalId }) => logicalId === 'HttpApi',
    );
    expect(api?.properties['CorsConfiguration']).toMatchObject({
      AllowOrigins,
      AllowMethods: ['POST'],
      AllowHeaders: ['authorization', 'content-type'],
    });
  });

  it('logs each access', () => {
    const stage = resourcesOf(stack, 'AWS::ApiGatewayV2::Stage').find(
      ({ properties }) => properties['ApiId'] === '${HttpApi}',
    );
    expect(stage?.properties['AccessLogSettings']).toMatchObject({
      DestinationArn: '${HttpApiAccessLogs.Arn}',
    });
  });
});

describe('permissions to invoke', () => {
  it('are given to API Gateway only, each for one route or for the authorizer of one API', () => {
    const permissions = resourcesOf(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties);
    const sources = permissions.map(({ SourceArn }) =>
      String(SourceArn).replace('arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:', ''),
    );
    expect(new Set(permissions.map(({ Principal }) => Principal))).toEqual(
      new Set(['apigateway.amazonaws.com']),
    );
    expect(sources.sort()).toEqual([
      '${HttpApi}/*/*/channels/{channel}/messages',
      '${HttpApi}/*/*/messages',
      '${HttpApi}/*/*/presence',
      '${HttpApi}/*/*/publications/{messageId}',
      '${HttpApi}/*/*/publications/{messageId}',
      '${HttpApi}/*/*/publish',
      '${HttpApi}/*/*/sessions',
      '${HttpApi}/*/*/sessions',
      '${HttpApi}/*/*/sessions/{connectionId}',
      '${HttpApi}/*/*/sessions/{connectionId}',
      '${HttpApi}/*/*/tickets',
      '${HttpApi}/authorizers/${HttpApiBearer}',
      '${WebSocketApi}/*$connect',
      '${WebSocketApi}/*$default',
      '${WebSocketApi}/*$disconnect',
      '${WebSocketApi}/authorizers/${WebSocketApiAuthorizer}',
    ]);
  });
});

describe('the callback endpoint', () => {
  it.each([
    ['the stage itself if nothing is set', undefined, executeApi],
    [
      'an address with the API and the stage filled in',
      'https://ws.example.com/{apiId}/{stage}',
      'https://ws.example.com/${WebSocketApi}/live',
    ],
    ['an address of its own', 'https://ws.example.com/v1', 'https://ws.example.com/v1'],
  ])('is %s', (_name, callbackEndpoint, expected) => {
    const given = createStack(callbackEndpoint === undefined ? {} : { callbackEndpoint });
    const senders = resourcesOf(given, 'AWS::Lambda::Function').filter(({ logicalId }) =>
      ['Message', 'Publish', 'Api'].includes(logicalId),
    );
    expect(senders).toHaveLength(3);
    for (const { properties } of senders) {
      expect(properties['Environment']).toMatchObject({ Variables: { CALLBACK_ENDPOINT: expected } });
    }
  });
});

describe('a service that is granted to publish', () => {
  it('may publish, cancel and invoke the publish function, and nothing else', () => {
    const granted = createStack();
    const role = new Role(granted, 'Service', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    granted.switchboard.grantPublish(role);

    const policy = resourcesOf(granted, 'AWS::IAM::Policy').find(({ logicalId }) =>
      logicalId.startsWith('Service'),
    );
    expect(policy?.properties['PolicyDocument']).toMatchObject({
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Resource: ['DELETE/publications/*', 'POST/publish'].map(
            (route) =>
              `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${HttpApi}/*/${route}`,
          ),
        },
        { Action: 'lambda:InvokeFunction', Resource: ['${Publish.Arn}', '${Publish.Arn}:*'] },
      ],
    });
  });
});

describe('services with tenants', () => {
  /** A stack with a role of its own that is bound to a tenant. */
  function stackWithService() {
    const own = createOwnStack();
    const role = new Role(own, 'Service', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const serviceTenants = { [role.roleName]: 'acme', 'Admin+1@ops': '*' };
    return { own, role, switchboard: new Switchboard(own, 'Realtime', { serviceTenants }) };
  }

  it('are known to the functions that they call, a role of the app by its name', () => {
    const { own } = stackWithService();
    const values = resourcesOf(own, 'AWS::Lambda::Function').map(({ properties }) =>
      JSON.stringify(properties['Environment']),
    );
    const known = values.filter((value) => value.includes('SERVICE_TENANTS'));
    expect(known).toHaveLength(2);
    for (const value of known)
      expect(JSON.parse(value)).toMatchObject({
        Variables: {
          SERVICE_TENANTS: expect.stringMatching(
            /^\{"\$\{Service\w*\}":"acme","Admin\+1@ops":"\*"\}$/,
          ) as unknown,
        },
      });
  });

  it('may publish over HTTP only, because a direct invocation does not say who invokes', () => {
    const { own, role, switchboard } = stackWithService();
    switchboard.grantPublish(role);
    const policy = resourcesOf(own, 'AWS::IAM::Policy').find(({ logicalId }) =>
      logicalId.startsWith('Service'),
    );
    expect(policy?.properties['PolicyDocument']).toMatchObject({
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Resource: ['/DELETE/publications/*', '/POST/publish'].map(
            (route) => expect.stringContaining(route) as unknown,
          ),
        },
      ],
    });
  });
});

describe('outputs', () => {
  it('name the URL of users, the URL and the function of services, and the secret that signs tokens', () => {
    expect(outputsOf(stack)).toEqual({
      WebSocketUrl: executeApi.replace('https:', 'wss:'),
      PublishUrl: 'https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/publish',
      PublishFunctionName: '${Publish}',
      TokenSecretArn: '${TokenSecret}',
    });
  });
});
