import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../local/index.ts';
import { sendSigned } from '../../../publisher/signed-request.ts';
import { Client } from '../client.ts';
import { apps } from './apps.ts';
import { signToken, stackSecret } from '../stack.ts';

describe.each(Object.entries(apps))('%s', (_name, addTo) => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-side-by-side-'));
  const clients: Client[] = [];
  let cloud: Cloud;
  beforeAll(async () => {
    const app = new App({ outdir: folder, builtinCloudFormationValidation: false });
    addTo(app);
    app.synth();
    cloud = await startCloud({ assembly: folder, port: 0, secret: stackSecret });
  });
  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.terminate();
  });
  afterAll(async () => {
    await cloud.close();
    rmSync(folder, { recursive: true });
  });

  /** The value of an output, whichever stack has it. */
  function output(name: string): string {
    const outputs = [...cloud.deployment.outputs];
    const [, value] = outputs.find(([key]) => key.split('.').at(-1) === name) ?? [];
    if (value === undefined) throw new Error(`There is no output ${name}: ${JSON.stringify(outputs)}`);
    return value;
  }

  const tokenOf = (user: string, type = 'member') =>
    signToken({ user, type, tenant: 'default', topics: ['news'], ttlSeconds: 3600 });

  async function connect(name: string, user: string, type?: string): Promise<Client> {
    const client = await Client.open(`${output(`${name}WebSocketUrl`)}?token=${await tokenOf(user, type)}`);
    clients.push(client);
    return client;
  }

  /** Calls a route with a signature, on the host and path of the output. */
  async function call(name: string, method: string, path: string, body?: object) {
    const url = new URL(output(`${name}PublishUrl`).replace(/\/publish$/, path));
    const response = await sendSigned({ method, url, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  const publish = (name: string, body: object) => call(name, 'POST', '/publish', { type: 'x', ...body });

  /** The same user in both. */
  async function connectBoth(user: string): Promise<readonly [Client, Client]> {
    return [await connect('Chat', user), await connect('Desk', user)];
  }

  it('have addresses of their own', () => {
    const names = ['ChatWebSocketUrl', 'ChatPublishUrl', 'DeskWebSocketUrl', 'DeskPublishUrl'];
    expect(new Set(names.map(output)).size).toBe(4);
    for (const name of names) expect(new URL(output(name)).port).toBe(String(cloud.port));
  });

  it('have listeners of their own, on a connection and by POST /messages', async () => {
    const [chat, desk] = await connectBoth('listening');
    expect(await chat.ask({ type: 'who', id: '1' })).toMatchObject({ type: 'ack', content: 'chat' });
    expect(await desk.ask({ type: 'who', id: '1' })).toMatchObject({ type: 'ack', content: 'desk' });
    const content = { toUserId: 'nobody' };
    const unknown = { type: 'error', content: { code: 'unknown_type' } };
    expect(await chat.ask({ type: 'desk-say', content })).toMatchObject(unknown);
    expect(await desk.ask({ type: 'chat-say', content })).toMatchObject(unknown);

    for (const name of ['Chat', 'Desk']) {
      const url = output(`${name}PublishUrl`).replace(/\/publish$/, '/messages');
      const headers = { authorization: `Bearer ${await tokenOf('listening')}` };
      const response = await fetch(url, { method: 'POST', headers, body: '{"type":"who"}' });
      expect(await response.json()).toEqual({ type: 'ack', content: name.toLowerCase() });
    }
  });

  it.each([
    ['Chat', 'chat-say', 'in the chat'],
    ['Desk', 'desk-say', 'at the desk'],
  ])('send what a listener of %s sends through their own API', async (name, type, said) => {
    const user = `saying-${name}`;
    const [chat, desk] = await connectBoth(user);
    const [sender, other] = name === 'Chat' ? [chat, desk] : [desk, chat];
    sender.send({ type, id: '1', content: { toUserId: user } });
    const frames = [await sender.next(), await sender.next()];
    expect(frames).toContainEqual(expect.objectContaining({ type: 'said', content: said }));
    expect(frames).toContainEqual(
      expect.objectContaining({
        type: 'ack',
        content: expect.objectContaining({ delivered: 1, gone: 0, failed: 0 }) as unknown,
      }),
    );
    await other.expectSilence();
  });

  it.each(['Chat', 'Desk'])('publish to the sessions of %s and to no other, on the spot', async (name) => {
    const user = `published-${name}`;
    const [chat, desk] = await connectBoth(user);
    const [own, other] = name === 'Chat' ? [chat, desk] : [desk, chat];
    const { body } = await publish(name, { to: `user:member:${user}`, content: name });
    expect(body).toMatchObject({ status: 'delivered', delivered: 1, gone: 0, failed: 0 });
    expect(await own.next()).toMatchObject({ type: 'x', content: name });
    await other.expectSilence();
  });

  it.each(['Chat', 'Desk'])('publish by the fan-out to the sessions of %s and to no other', async (name) => {
    const type = `audience-${name}`;
    const mine = [await connect(name, '1', type), await connect(name, '2', type)];
    const other = await connect(name === 'Chat' ? 'Desk' : 'Chat', '1', type);
    const { status, body } = await publish(name, { to: `type:${type}`, content: name });
    expect(status).toBe(202);
    for (const client of mine) expect(await client.next()).toMatchObject({ type: 'x', content: name });
    await expect
      .poll(async () => (await call(name, 'GET', `/publications/${String(body['messageId'])}`)).body)
      .toMatchObject({ status: 'done', delivered: 2, gone: 0, failed: 0 });
    await other.expectSilence();
  });

  it('list and close their own sessions', async () => {
    const [chat, desk] = await connectBoth('managed');
    const path = '/sessions?userType=member&userId=managed';
    const idsOf = async (name: string) => {
      const { sessions } = (await call(name, 'GET', path)).body as { sessions: { connectionId: string }[] };
      return sessions.map(({ connectionId }) => connectionId);
    };
    const [chatIds, deskIds] = [await idsOf('Chat'), await idsOf('Desk')];
    expect([chatIds.length, deskIds.length]).toEqual([1, 1]);
    expect(chatIds).not.toEqual(deskIds);

    const [deskId = ''] = deskIds;
    const byId = `/sessions/${encodeURIComponent(deskId)}`;
    expect((await call('Chat', 'DELETE', byId)).status).toBe(404);
    expect(await call('Desk', 'GET', byId)).toMatchObject({ status: 200, body: { connectionId: deskId } });
    const closed = desk.closed();
    expect((await call('Desk', 'DELETE', path)).body).toEqual({ closed: 1 });
    expect(await closed).toMatchObject({ code: 1000 });
    expect(await idsOf('Desk')).toEqual([]);
    expect(await idsOf('Chat')).toEqual(chatIds);
    await chat.expectSilence();
  });

  it('keep durable messages, and the ids of publications, in tables of their own', async () => {
    const message = { to: 'topic:news', content: 'in the chat', durable: true };
    const messageId = '3b0f2c11-6f0e-4b6e-9f0a-7d9f1f3e0d6a';
    expect((await publish('Chat', { ...message, messageId })).body).toMatchObject({ offset: 1 });
    const log = (name: string) => call(name, 'GET', `/channels/${encodeURIComponent('topic:news')}/messages`);
    expect((await log('Desk')).body).toMatchObject({ messages: [], head: 0 });
    // In one table, the same id with another body would be a conflict.
    const other = await publish('Desk', { ...message, content: 'at the desk', messageId });
    expect(other).toMatchObject({ status: 200, body: { offset: 1 } });
    for (const [name, content] of [
      ['Chat', 'in the chat'],
      ['Desk', 'at the desk'],
    ] as const) {
      expect((await log(name)).body).toMatchObject({ messages: [{ content, offset: 1 }], head: 1 });
    }
  });
});
