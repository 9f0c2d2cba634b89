import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { httpStack, type HttpSpec } from '../harness/http-stack.ts';
import { runCloud } from '../harness/running-cloud.ts';

const run = (spec: HttpSpec) => runCloud(httpStack(spec));
const guarded = { 'GET /{name}': { authorization: 'CUSTOM' as const } };
const simple = (answer: string, properties = {}): HttpSpec => ({
  routes: guarded,
  authorizer: { body: `return ${answer};`, properties },
});
const withToken = { headers: { authorization: 'Bearer t' } };

describe('a Lambda authorizer (http-api-lambda-authorizer)', () => {
  it('gets an event of format 2.0 with the identity source', async () => {
    const { url, events } = await run(simple('{ isAuthorized: true }'));
    await fetch(`${url}/a?q=1`, withToken);
    const event = await events('Authorize').next();
    expect(event).toMatchObject({
      version: '2.0',
      type: 'REQUEST',
      identitySource: ['Bearer t'],
      routeKey: 'GET /{name}',
      rawPath: '/a',
      rawQueryString: 'q=1',
      pathParameters: { name: 'a' },
    });
    expect(event.routeArn).toMatch(
      /^arn:aws:execute-api:us-east-1:000000000000:[a-z0-9]{10}\/\$default\/GET\/a$/,
    );
    expect(event).not.toHaveProperty('isBase64Encoded');
  });

  it('allows a request with isAuthorized, and its context reaches the function', async () => {
    const { url, events } = await run(simple(`{ isAuthorized: true, context: { user: 'u', list: [1] } }`));
    expect((await fetch(`${url}/a`, withToken)).status).toBe(200);
    const { requestContext } = await events('F0').next();
    expect(requestContext.authorizer).toEqual({ lambda: { user: 'u', list: [1] } });
  });

  it('is not called if its identity source is missing, and the answer is 401', async () => {
    const { url, events } = await run(simple('{ isAuthorized: true }'));
    const response = await fetch(`${url}/a`);
    expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
    expect(events('Authorize').size).toBe(0);
  });

  it.each([
    ['{ isAuthorized: false }', 403, 'Forbidden'],
    ['{}', 500, 'Internal Server Error'],
    ['null', 500, 'Internal Server Error'],
    [`(() => { throw new Error('Unauthorized'); })()`, 401, 'Unauthorized'],
    [`(() => { throw new Error('else'); })()`, 500, 'Internal Server Error'],
  ])('that answers %s gives a %i', async (answer, status, message) => {
    const { url } = await run(simple(answer));
    const response = await fetch(`${url}/a`, withToken);
    expect([response.status, await response.json()]).toEqual([status, { message }]);
  });

  it('may answer with a policy if simple responses are off', async () => {
    const policy = `{ principalId: 'u', policyDocument: { Statement: [
      { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: event.routeArn.replace(/[^/]*$/, 'open*') } ] } }`;
    const { url } = await run(simple(policy, { EnableSimpleResponses: false }));
    expect((await fetch(`${url}/opened`, withToken)).status).toBe(200);
    expect((await fetch(`${url}/closed`, withToken)).status).toBe(403);
  });

  it('is called once per identity within its TTL', async () => {
    const { url, meter } = await run(simple('{ isAuthorized: true }', { AuthorizerResultTtlInSeconds: 300 }));
    for (const token of ['a', 'a', 'b', 'a']) {
      expect((await fetch(`${url}/x`, { headers: { authorization: token } })).status).toBe(200);
    }
    expect(meter.snapshot()['lambda.Authorize.invocations']).toBe(2);
  });

  it('is called for each request if it has no TTL', async () => {
    const { url, meter } = await run(simple('{ isAuthorized: true }'));
    for (const name of ['a', 'b']) await fetch(`${url}/${name}`, withToken);
    expect(meter.snapshot()['lambda.Authorize.invocations']).toBe(2);
  });
});

describe('AWS_IAM (http-api-access-control-iam)', () => {
  const iam = { 'POST /publish': { authorization: 'AWS_IAM' as const } };

  it('refuses an unsigned call with 403', async () => {
    const { url } = await run({ routes: iam });
    const response = await fetch(`${url}/publish`, { method: 'POST', body: '{}' });
    expect([response.status, await response.json()]).toEqual([403, { message: 'Forbidden' }]);
  });

  /** The body and status of a POST that curl signs. */
  const curl = async (url: string, user: string, ...more: string[]): Promise<string> => {
    const signing = ['--aws-sigv4', 'aws:amz:us-east-1:execute-api', '--user', user];
    const body = ['-H', 'content-type: application/json', '-d', '{"to":"everyone"}'];
    const flags = ['-s', '-w', ' %{http_code}', ...signing, ...body, ...more];
    return (await promisify(execFile)('curl', [...flags, `${url}/publish?a=1&b=2`])).stdout;
  };

  it('accepts a request that curl --aws-sigv4 signed, and names the caller', async () => {
    const { url, events } = await run({ routes: iam });
    expect(await curl(url, 'local:local')).toBe('POST /publish 200');
    const { body, requestContext } = await events('F0').next();
    expect(body).toBe('{"to":"everyone"}');
    expect(requestContext.authorizer).toEqual({
      iam: {
        accessKey: 'local',
        accountId: '000000000000',
        callerId: 'local',
        cognitoIdentity: null,
        principalOrgId: null,
        userArn: 'arn:aws:iam::000000000000:user/local',
        userId: 'local',
      },
    });
  });

  it('refuses a wrong secret with 403', async () => {
    const { url } = await run({ routes: iam });
    expect(await curl(url, 'local:wrong')).toBe('{"message":"Forbidden"} 403');
  });

  const grant = (Effect: string, resource: string) => ({
    Effect,
    Action: 'execute-api:Invoke',
    Resource: { 'Fn::Sub': `arn:aws:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Http}/${resource}` },
  });

  it.each([
    ['lets in a role with a grant for the route', [grant('Allow', '*/POST/publish')], 200],
    ['refuses a role without a grant', [], 403],
    ['refuses a role with a grant for another path', [grant('Allow', '*/POST/messages')], 403],
    ['refuses a role with a grant for another method', [grant('Allow', '*/GET/publish')], 403],
    ['refuses a role with a deny beside the grant', [grant('Allow', '*'), grant('Deny', '*/publish')], 403],
  ])('%s', async (_name, Statement, status) => {
    const tellKeys = `const { env } = process;
      return { user: env.AWS_ACCESS_KEY_ID + ':' + env.AWS_SECRET_ACCESS_KEY, token: env.AWS_SESSION_TOKEN };`;
    const cloud = await runCloud({
      ...httpStack({ routes: { ...iam, 'GET /keys': { body: tellKeys } } }),
      Policy: {
        Type: 'AWS::IAM::Policy',
        Properties: { PolicyName: 'policy', Roles: [{ Ref: 'Role' }], PolicyDocument: { Statement } },
      },
    });
    const keys: unknown = await (await fetch(`${cloud.url}/keys`)).json();
    const { user, token } = keys as { readonly user: string; readonly token: string };
    const answer = await curl(cloud.url, user, '-H', `x-amz-security-token: ${token}`);
    expect(answer).toBe(status === 200 ? 'POST /publish 200' : '{"message":"Forbidden"} 403');
    expect(cloud.lines.some((line) => line.includes('execute-api:Invoke'))).toBe(status === 403);
  });
});

describe('a start', () => {
  it.each([
    [{ AuthorizerType: 'JWT' }, 'HttpAuthorizer: an authorizer of type JWT'],
    [{ AuthorizerPayloadFormatVersion: '1.0' }, 'HttpAuthorizer: only the payload format 2.0'],
    [{ IdentitySource: ['$request.body.a'] }, 'HttpAuthorizer: the identity source $request.body.a'],
  ])('refuses an authorizer that it cannot run: %j', async (properties, message) => {
    await expect(run(simple('{}', properties))).rejects.toThrow(message);
  });

  it.each([
    [{ PayloadFormatVersion: '1.0' }, 'F0Integration: only the payload format 2.0'],
    [{ IntegrationType: 'HTTP_PROXY' }, 'F0Integration: an integration of type HTTP_PROXY'],
  ])('refuses an integration that it cannot run: %j', async (integration, message) => {
    await expect(run({ routes: { 'GET /': { integration } } })).rejects.toThrow(message);
  });
});
