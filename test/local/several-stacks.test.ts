import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { get, type IncomingMessage } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { startCloud } from '../../local/index.ts';
import { createConnectionsClient } from '../../core/connections/client.ts';
import { sendSigned } from '../../publisher/signed-request.ts';
import { Client } from './harness/client.ts';
import { httpStack } from './harness/http-stack.ts';
import { writeAssembly, type Resources } from './harness/inline-functions.ts';
import { webSocketStack } from './harness/websocket-stack.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const address = (api: string, path: string, scheme = 'https') => ({
  Value: { 'Fn::Sub': `${scheme}://\${${api}}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}${path}` },
});
const outputs = {
  SocketUrl: address('Api', '/live', 'wss'),
  CallbackUrl: address('Api', '/live'),
  HttpUrl: address('Http', ''),
};

/** Functions get the names that CloudFormation makes, as two equal stacks need. */
function unnamed(resources: Resources): Resources {
  return Object.fromEntries(
    Object.entries(resources).map(([id, { Type, Properties }]) => {
      const { FunctionName: _, ...rest } = Properties;
      const isFunction = Type === 'AWS::Lambda::Function';
      return [id, { Type, Properties: isFunction ? rest : Properties }];
    }),
  );
}

const template = unnamed({
  ...httpStack({
    routes: {
      'GET /where': {
        authorization: 'AWS_IAM',
        body: `return { path: event.rawPath };`,
      },
    },
  }),
  ...webSocketStack({
    routes: {
      $connect: {},
      $default: {
        returnsResponse: true,
        body: `const { connectionId: id, domainName, stage } = event.requestContext;
          const { ApiGatewayManagementApi } = require('@aws-sdk/client-apigatewaymanagementapi');
          const api = new ApiGatewayManagementApi({ endpoint: 'https://' + domainName + '/' + stage });
          await api.postToConnection({ ConnectionId: id, Data: 'from the function' });
          return { statusCode: 200, body: JSON.stringify({ id }) };`,
      },
    },
  }),
  Grants: {
    Type: 'AWS::IAM::Policy',
    Properties: {
      Roles: [{ Ref: 'Role' }],
      PolicyDocument: {
        Statement: { Effect: 'Allow', Action: 'execute-api:ManageConnections', Resource: '*' },
      },
    },
  },
});

async function startBoth() {
  const assembly = await writeAssembly(template, outputs, ['One', 'Two']);
  const cloud = await startCloud({ assembly, port: 0 });
  onTestFinished(() => cloud.close());
  const output = (name: string) => cloud.deployment.outputs.get(name) ?? '';
  return { cloud, output, prefix: `/${cloud.deployment.physicalId('Two/Api')}` };
}

it('two equal stacks run on one port: connections, callbacks and signed requests', async () => {
  const { cloud, output, prefix } = await startBoth();
  const httpPrefix = `/${cloud.deployment.physicalId('Two/Http')}`;
  const host = `127.0.0.1:${String(cloud.port)}`;
  expect(output('One.SocketUrl')).toBe(`ws://${host}/live`);
  expect(output('Two.SocketUrl')).toBe(`ws://${host}${prefix}/live`);
  expect(output('Two.HttpUrl')).toBe(`http://${host}${httpPrefix}`);

  for (const stack of ['One', 'Two']) {
    const client = await new Client(output(`${stack}.SocketUrl`)).open();
    const frames = client.frames;
    client.send({ type: 'who' });
    // The function makes the callback address from its event.
    expect(await frames.next()).toBe('from the function');
    const { id } = JSON.parse(await frames.next()) as { id: string };

    const endpoint = output(`${stack}.CallbackUrl`);
    const sdk = new ApiGatewayManagementApiClient({ endpoint, region: 'us-east-1', credentials });
    await sdk.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'from the SDK' }));
    expect(await frames.next()).toBe('from the SDK');
    const own = createConnectionsClient({
      endpoint,
      region: 'us-east-1',
      credentials: () => Promise.resolve(credentials),
    });
    await own.post(id, own.prepare('from our client'));
    expect(await frames.next()).toBe('from our client');
    own.close();
    client.socket.terminate();

    const response = await sendSigned({
      method: 'GET',
      url: new URL(`${output(`${stack}.HttpUrl`)}/where`),
    });
    expect(await response.json()).toEqual({ path: '/where' });
  }
});

it('a connection of one stack is unknown to the other', async () => {
  const { output } = await startBoth();
  const client = await new Client(output('One.SocketUrl')).open();
  client.send({ type: 'who' });
  await client.frames.next();
  const { id } = JSON.parse(await client.frames.next()) as { id: string };
  const other = new ApiGatewayManagementApiClient({
    endpoint: output('Two.CallbackUrl'),
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
  const post = other.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'x' }));
  await expect(post).rejects.toMatchObject({ name: 'GoneException' });
  client.socket.terminate();
});

it('the host of an API chooses it, and the host of an unknown API is refused', async () => {
  const { cloud } = await startBoth();
  const status = async (apiId: string): Promise<number | undefined> => {
    const headers = { host: `${apiId}.execute-api.us-east-1.amazonaws.com` };
    const response = await new Promise<IncomingMessage>((resolve) => {
      get(`${cloud.url}/none`, { headers }, resolve);
    });
    response.resume();
    return response.statusCode;
  };
  expect(await status(cloud.deployment.physicalId('Two/Http'))).toBe(404);
  expect(await status('abcdefghij')).toBe(403);
});
