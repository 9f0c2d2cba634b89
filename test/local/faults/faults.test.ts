import {
  ApiGatewayManagementApiClient,
  ApiGatewayManagementApiServiceException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FaultSettings } from '../../../local/index.ts';
import { runCloud, type RunningCloud } from '../harness/running-cloud.ts';
import { webSocketStack } from '../harness/websocket-stack.ts';

const routes = {
  $connect: {},
  $default: { returnsResponse: true, body: 'return { body: event.body };' },
  $disconnect: {},
};

const patiently = { timeout: 15_000 };

async function run(faults: Partial<FaultSettings>) {
  const cloud = await runCloud(webSocketStack({ routes }), { faults });
  const api = new ApiGatewayManagementApiClient({
    endpoint: `${cloud.url}/live`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  onTestFinished(() => {
    api.destroy();
  });
  return { cloud, api };
}

async function connected(faults: Partial<FaultSettings>) {
  const { cloud, api } = await run(faults);
  const client = await cloud.connect().open();
  const { requestContext } = await cloud.events('Connect').next();
  const ConnectionId = String(requestContext.connectionId);
  /** The status of a post. */
  const post = async (text: string): Promise<number> => {
    try {
      await api.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(text) }));
      return 200;
    } catch (cause) {
      if (!(cause instanceof ApiGatewayManagementApiServiceException)) throw cause;
      return cause.$metadata.httpStatusCode ?? 0;
    }
  };
  return { cloud, client, post };
}

async function put(cloud: RunningCloud, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${cloud.url}/_local/faults`, { method: 'PUT', body: text, headers });
  return { status: response.status, body: await response.json() };
}

async function fired(cloud: RunningCloud, name: keyof FaultSettings): Promise<number> {
  const response = await fetch(`${cloud.url}/_local/meter`);
  return ((await response.json()) as Record<string, number>)[`faults.${name}`] ?? 0;
}

describe('calls of the callback API', () => {
  it('to a young connection are answered 410 although the client is connected', async () => {
    const { cloud, client, post } = await connected({ youngGone: 1 });
    expect(await post('a')).toBe(410);
    await put(cloud, {});
    expect(await post('b')).toBe(200);
    expect(await client.frames.next()).toBe('b');
    expect(await fired(cloud, 'youngGone')).toBe(1);
  });

  it('are answered 429', async () => {
    const { cloud, post } = await connected({ throttled: 1 });
    expect([await post('a'), await post('b')]).toEqual([429, 429]);
    expect(await fired(cloud, 'throttled')).toBe(2);
  });

  it('are answered 500, about half of them although the message was sent', async () => {
    const { cloud, client, post } = await connected({ serverError: 1 });
    for (let index = 0; index < 40; index += 1) expect(await post(String(index))).toBe(500);
    await put(cloud, {});
    expect(await post('end')).toBe(200);
    const sent: string[] = [];
    for (let text = await client.frames.next(); text !== 'end'; text = await client.frames.next())
      sent.push(text);
    expect(sent.length).toBeGreaterThan(8);
    expect(sent.length).toBeLessThan(32);
  });

  it('have the same outcomes with the same seed, and others with another seed', async () => {
    const statuses = async (seed: number) => {
      const { post } = await connected({ throttled: 0.5, seed });
      const answered: number[] = [];
      for (let index = 0; index < 24; index += 1) answered.push(await post('x'));
      return answered;
    };
    const first = await statuses(7);
    expect(first).toContain(200);
    expect(first).toContain(429);
    expect(await statuses(7)).toEqual(first);
    expect(await statuses(8)).not.toEqual(first);
  });
});

describe('messages to a client', () => {
  it('all arrive, even if each is held back', async () => {
    const { cloud, client, post } = await connected({ reordered: 1 });
    const texts = Array.from({ length: 10 }, (_, index) => String(index));
    for (const text of texts) expect(await post(text)).toBe(200);
    const came: string[] = [];
    while (came.length < texts.length) came.push(await client.frames.next());
    expect(came.sort()).toEqual(texts);
    expect(await fired(cloud, 'reordered')).toBe(10);
  });

  it('are held back too if they are answers of a route', async () => {
    const { cloud, client } = await connected({ reordered: 1 });
    client.send('hello');
    expect(await client.frames.next()).toBe('hello');
    expect(await fired(cloud, 'reordered')).toBe(1);
  });

  it('arrive in order at a client that reads slowly', async () => {
    const { cloud, client, post } = await connected({ slowConsumer: 1 });
    for (const text of ['a', 'b', 'c']) expect(await post(text)).toBe(200);
    expect([await client.frames.next(), await client.frames.next(), await client.frames.next()]).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(await fired(cloud, 'slowConsumer')).toBe(1);
  });
});

describe('connections', () => {
  it('are cut without a close frame, and $disconnect gets code 1006', async () => {
    const { cloud, client } = await connected({ cutAfterMs: 1 });
    expect((await client.closed).code).toBe(1006);
    const { requestContext } = await cloud.events('Disconnect').next();
    expect(requestContext.disconnectStatusCode).toBe(1006);
    expect(await fired(cloud, 'cutAfterMs')).toBe(1);
  });

  it('are cut after they have opened, when the fault is switched on', async () => {
    const { cloud, client } = await connected({});
    await put(cloud, { cutAfterMs: 1 });
    expect((await client.closed).code).toBe(1006);
  });

  it('end without a call of $disconnect', async () => {
    const { cloud, client } = await connected({ lostDisconnect: 1 });
    client.socket.close(1000);
    await expect.poll(() => fired(cloud, 'lostDisconnect'), patiently).toBe(1);
    await put(cloud, {});
    const second = await cloud.connect().open();
    second.socket.close(1000);
    await cloud.events('Disconnect').next();
    expect(cloud.events('Disconnect').size).toBe(0);
  });

  it('that are open reach the end of their lifetime sooner when the clock is made faster', async () => {
    const day = 24 * 60 * 60_000;
    const cloud = await runCloud(webSocketStack({ routes }), { lifetimeMs: day, idleTimeoutMs: 1000 * day });
    const client = await cloud.connect().open();
    await put(cloud, { clockSpeed: 1_000_000 });
    expect(await client.closed).toEqual({ code: 1001, reason: 'Going away' });
  });
});

it('a killed function is an internal error for the client, and the next event runs', async () => {
  const slow = {
    ...routes,
    $default: {
      returnsResponse: true,
      body: 'await new Promise((r) => setTimeout(r, event.body === "slow" ? 60_000 : 0)); return { body: "done" };',
    },
  };
  const cloud = await runCloud(webSocketStack({ routes: slow }));
  const client = await cloud.connect().open();
  client.send('warm');
  expect(await client.frames.next()).toBe('done');
  await put(cloud, { killedFunction: 1 });
  client.send('slow');
  expect(JSON.parse(await client.frames.next())).toMatchObject({ message: 'Internal server error' });
  expect(await fired(cloud, 'killedFunction')).toBe(1);
  await put(cloud, {});
  client.send('again');
  expect(await client.frames.next()).toBe('done');
});

describe('/_local/faults', () => {
  it('shows all settings, accepts the settings that it shows, and replaces all of them', async () => {
    const { cloud } = await run({ throttled: 0.5 });
    const shown = (await (await fetch(`${cloud.url}/_local/faults`)).json()) as FaultSettings;
    expect(shown).toMatchObject({ seed: 1, clockSpeed: 1, throttled: 0.5, cutAfterMs: 0 });
    expect(await put(cloud, shown)).toEqual({ status: 200, body: shown });
    expect(await put(cloud, { reordered: 0.1 })).toMatchObject({ body: { reordered: 0.1, throttled: 0 } });
  });

  it.each([
    ['{', 'body: is not JSON'],
    ['[]', 'faults: must be a JSON object of numbers'],
    ['{"throttled":2}', 'throttled: must be a share from 0 to 1'],
    ['{"colour":1}', 'colour: is no fault'],
  ])('refuses %s and changes nothing', async (text, message) => {
    const { cloud } = await run({ throttled: 0.5 });
    const named: unknown = expect.stringContaining(message);
    expect(await put(cloud, text)).toEqual({ status: 400, body: { message: named } });
    expect(await (await fetch(`${cloud.url}/_local/faults`)).json()).toMatchObject({ throttled: 0.5 });
  });

  it('refuses requests from pages of other sites, and other methods', async () => {
    const { cloud } = await run({});
    expect((await put(cloud, {}, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await put(cloud, {}, { origin: cloud.url })).status).toBe(200);
    const response = await fetch(`${cloud.url}/_local/faults`, { method: 'POST', body: '{}' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT']);
  });
});

it('invalid settings are refused at the start', async () => {
  await expect(runCloud(webSocketStack({ routes }), { faults: { throttled: 3 } })).rejects.toThrow(
    'throttled: must be a share from 0 to 1',
  );
});
