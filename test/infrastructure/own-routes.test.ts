import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { createStack, resourcesOf } from './stack-under-test.ts';

function stackWithFunction() {
  const stack = createStack();
  const code = Code.fromInline('exports.handler = async () => ({});');
  const fn = new LambdaFunction(stack, 'Desk', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code,
  });
  return { stack, switchboard: stack.switchboard, fn };
}

describe('a route of one’s own', () => {
  it.each([
    ['GET /desk/agents', '/desk/agents'],
    ['ANY /desk', '/desk'],
    ['DELETE /desk/agents/{agentId}', '/desk/agents/{agentId}'],
    ['POST /{tenant}/desk/{rest+}', '/{tenant}/desk/{rest+}'],
    ['GET /published', '/published'],
  ])('%s takes signed requests and calls its function', (key, path) => {
    const { stack, switchboard, fn } = stackWithFunction();
    switchboard.addRoute(key, fn);

    const route = resourcesOf(stack, 'AWS::ApiGatewayV2::Route').find(
      ({ properties }) => properties['RouteKey'] === key,
    );
    const integration = resourcesOf(stack, 'AWS::ApiGatewayV2::Integration').find(
      ({ logicalId }) => route?.properties['Target'] === `integrations/\${${logicalId}}`,
    );
    const permission = resourcesOf(stack, 'AWS::Lambda::Permission').find(
      ({ properties }) => properties['FunctionName'] === '${Desk.Arn}',
    );
    expect(route?.properties).toMatchObject({ ApiId: '${HttpApi}', AuthorizationType: 'AWS_IAM' });
    expect(integration?.properties).toMatchObject({
      IntegrationUri: '${Desk.Arn}',
      PayloadFormatVersion: '2.0',
    });
    expect(permission?.properties['SourceArn']).toMatch(`:\${HttpApi}/*/*${path}`);
  });

  it('is granted to a service by the route that it returns', () => {
    const { stack, switchboard, fn } = stackWithFunction();
    const service = new Role(stack, 'Service', {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    });
    switchboard.addRoute('GET /desk/agents', fn).grantInvoke(service);

    const policy = resourcesOf(stack, 'AWS::IAM::Policy').find(({ logicalId }) =>
      logicalId.startsWith('Service'),
    );
    expect(policy?.properties['PolicyDocument']).toMatchObject({
      Statement: [
        { Action: 'execute-api:Invoke', Resource: expect.stringMatching(/\/GET\/desk\/agents$/) as unknown },
      ],
    });
  });

  it('may call a function that another stack owns', () => {
    const { stack, switchboard } = stackWithFunction();
    const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:desk';
    const fn: IFunction = LambdaFunction.fromFunctionArn(stack, 'Imported', arn);
    switchboard.addRoute('GET /desk', fn);
    const uris = resourcesOf(stack, 'AWS::ApiGatewayV2::Integration').map(
      ({ properties }) => properties['IntegrationUri'],
    );
    expect(uris).toContain(arn);
  });

  it.each([
    'GET',
    '/desk',
    'get /desk',
    'FETCH /desk',
    'GET desk',
    'GET /',
    'GET /desk/',
    'GET //desk',
    'GET /desk  ',
    'GET /desk?x=1',
    'GET /a{b}',
    'GET /{rest+}/desk',
    '$default',
  ])('may not have the key %j', (key) => {
    const { switchboard, fn } = stackWithFunction();
    expect(() => switchboard.addRoute(key, fn)).toThrow(
      `Route ${JSON.stringify(key)} is not a route key; it is METHOD /path, such as "GET /desk/agents/{agentId}", with a ` +
        'method of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT.',
    );
  });

  it.each(['publish', 'messages', 'sessions', 'publications', 'channels', 'presence', 'tickets', '_local'])(
    'may not be under /%s',
    (first) => {
      const { switchboard, fn } = stackWithFunction();
      for (const path of [`/${first}`, `/${first}/more`, `/${first}/{id}`]) {
        expect(() => switchboard.addRoute(`PUT ${path}`, fn)).toThrow(
          `Route "PUT ${path}" is under /${first}, which belongs to Switchboard.`,
        );
      }
    },
  );

  it.each([
    ['GET /desk', 'GET /desk'],
    ['GET /desk/{id}', 'GET /desk/{agentId}'],
    ['ANY /desk/{id+}', 'ANY /desk/{rest+}'],
  ])('%s may not be repeated as %s', (key, again) => {
    const { switchboard, fn } = stackWithFunction();
    switchboard.addRoute(key, fn);
    expect(() => switchboard.addRoute(again, fn)).toThrow(`Route ${JSON.stringify(again)} exists already.`);
  });

  it.each([
    ['GET /desk', 'POST /desk'],
    ['GET /desk', 'ANY /desk'],
    ['GET /desk/{id}', 'GET /desk/{id+}'],
  ])('%s may stand beside %s', (key, other) => {
    const { stack, switchboard, fn } = stackWithFunction();
    switchboard.addRoute(key, fn);
    switchboard.addRoute(other, fn);
    const keys = resourcesOf(stack, 'AWS::ApiGatewayV2::Route').map(
      ({ properties }) => properties['RouteKey'],
    );
    expect(keys).toEqual(expect.arrayContaining([key, other]));
  });
});
