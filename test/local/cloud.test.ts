import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isStartError, startCloud } from '../../local/index.ts';
import { httpStack } from './harness/http-stack.ts';
import { listen } from './harness/listen.ts';
import { runCloud } from './harness/running-cloud.ts';
import { writeAssembly } from './harness/inline-functions.ts';
import { webSocketStack } from './harness/websocket-stack.ts';

const stack = {
  ...httpStack({ routes: { 'GET /hello': {} } }),
  ...webSocketStack({ routes: { $connect: {} } }),
};

describe('a start', () => {
  it('fails with one line if the port is in use', async () => {
    const server = createServer();
    const port = await listen(server);
    onTestFinished(() => void server.close());
    const error: unknown = await startCloud({ assembly: await writeAssembly(stack), port }).catch(
      (thrown: unknown) => thrown,
    );
    expect(isStartError(error)).toBe(true);
    const oneLine: unknown = expect.stringMatching(new RegExp(`^Port ${String(port)} is in use[^\\n]*$`));
    expect(error).toMatchObject({ name: 'PortInUseError', message: oneLine });
  });

  it('frees the port if the template cannot run', async () => {
    const odd = { ...stack, Odd: { Type: 'AWS::Odd::Thing', Properties: {} } };
    const assembly = await writeAssembly(odd);
    await expect(startCloud({ assembly, port: 0, strict: true })).rejects.toThrow(/Odd.*AWS::Odd::Thing/);
  });

  it('listens on loopback only and puts its addresses into the outputs', async () => {
    const url = { Value: { 'Fn::Sub': 'wss://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live' } };
    const cloud = await startCloud({ assembly: await writeAssembly(stack, { Url: url }), port: 0 });
    onTestFinished(() => cloud.close());
    expect(cloud.url).toBe(`http://127.0.0.1:${String(cloud.port)}`);
    expect(cloud.deployment.outputs.get('Url')).toBe(`ws://127.0.0.1:${String(cloud.port)}/live`);
  });
});

it('a cloud closes once, however often close is called, and frees the port', async () => {
  const cloud = await runCloud(stack);
  await Promise.all([cloud.close(), cloud.close()]);
  await expect(fetch(`${cloud.url}/_local/health`)).rejects.toThrow();
  const again = await startCloud({ assembly: await writeAssembly(stack), port: cloud.port });
  await again.close();
});
