import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { runCloud } from '../harness/running-cloud.ts';
import type { Resources } from '../harness/inline-functions.ts';
import { webSocketStack } from '../harness/websocket-stack.ts';

const sdk = createRequire(import.meta.url).resolve('@aws-sdk/client-apigatewaymanagementapi');

/** A route that posts to its own caller with the keys of its role, and returns what it sees. */
const postsToCaller = `
  const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require(${JSON.stringify(sdk)});
  const api = new ApiGatewayManagementApiClient({ endpoint: process.env.CALLBACK_URL, maxAttempts: 1 });
  const ConnectionId = event.requestContext.connectionId;
  try {
    await api.send(new PostToConnectionCommand({ ConnectionId, Data: 'posted' }));
    return { body: 'no error' };
  } catch (error) {
    return { body: error.name + ': ' + error.message };
  }`;

function stack(statements: readonly unknown[]): Resources {
  const callbackUrl = { 'Fn::Sub': 'https://${Api}.execute-api.${AWS::Region}.amazonaws.com/live' };
  const $default = { body: postsToCaller, returnsResponse: true, variables: { CALLBACK_URL: callbackUrl } };
  return {
    ...webSocketStack({ routes: { $connect: {}, $default } }),
    Policy: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'policy',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: { Version: '2012-10-17', Statement: statements },
      },
    },
  };
}

function manage(path: string): unknown {
  const arn = 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/live';
  return {
    Effect: 'Allow',
    Action: 'execute-api:ManageConnections',
    Resource: { 'Fn::Sub': `${arn}/${path}` },
  };
}

it('a function may post if its role allows it (apigateway-websocket-control-access-iam)', async () => {
  const cloud = await runCloud(stack([manage('POST/@connections/*')]));
  const client = await cloud.connect().open();
  client.send('x');
  expect(await client.frames.next()).toBe('posted');
  expect(await client.frames.next()).toBe('no error');
});

it.each([
  ['no grant', []],
  ['a grant for another method', [manage('GET/@connections/*')]],
])('a function with %s is refused, and the refusal names the action', async (_name, statements) => {
  const cloud = await runCloud(stack(statements));
  const client = await cloud.connect().open();
  client.send('x');
  const answer = await client.frames.next();
  expect(answer).toContain('AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/');
  expect(answer).toContain(
    'is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:',
  );
  expect(cloud.lines.some((line) => line.includes('execute-api:ManageConnections'))).toBe(true);
});
