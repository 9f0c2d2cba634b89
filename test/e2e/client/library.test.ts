import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Client, connect } from '../../../client/index.ts';
import { sendSigned } from '../../../publisher/signed-request.ts';
import { startStack, type Stack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

interface Messages {
  readonly 'notice-push': { readonly title: string };
  readonly order: { readonly id: number };
}

async function connectAs(
  user: string,
  topics: readonly string[] = [],
  Socket: new (url: string) => WebSocket = WebSocket,
): Promise<Client<Messages>> {
  const address = new URL(await stack.webSocketUrl({ user, topics }));
  const token = address.searchParams.get('token') ?? '';
  return connect<Messages>({
    url: `${address.origin}${address.pathname}`,
    token,
    WebSocket: Socket,
    durable: false,
  });
}

describe('the client on the stack', () => {
  it('gets acks, errors and published messages', async () => {
    const client = await connectAs('lib');
    const heard = new Promise((resolve) => client.once('notice-push', resolve));
    expect(await client.send('demo-message-send', { text: 'hi' })).toMatchObject({
      status: 'delivered',
      delivered: 1,
    });
    await expect(client.send('nope', {})).rejects.toMatchObject({ code: 'unknown_type' });
    await stack.publish({ to: 'user:member:lib', type: 'notice-push', content: { title: 'for you' } });
    expect(await heard).toEqual({ title: 'for you' });
    await client.close();
    await expect
      .poll(() => stack.call('GET', '/sessions?userType=member&userId=lib'))
      .toMatchObject({ body: { sessions: [] } });
  });

  it('has its 100 topics back within seconds of a reconnect, whatever the rate', async () => {
    const topics = Array.from({ length: 100 }, (_, index) => `many.${index}`);
    const sockets: WebSocket[] = [];
    const Recorded = class extends WebSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    };
    const client = await connectAs('many', ['many.*'], Recorded);
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    await Promise.all(topics.map((topic) => client.subscribe(topic, () => undefined).ready));
    const topicsOf = async () => {
      const { body } = await stack.call('GET', '/sessions?userType=member&userId=many');
      return (body as { sessions: { connectionId: string; topics: string[] }[] }).sessions;
    };
    const [before] = await topicsOf();
    expect(before?.topics).toHaveLength(100);
    for (const socket of sockets) socket.terminate();
    await expect
      .poll(
        async () =>
          (await topicsOf()).find(({ connectionId }) => connectionId !== before?.connectionId)?.topics.length,
        { timeout: 30_000 },
      )
      .toBe(100);
    expect(errors).toEqual([]);
    await client.close();
  });

  it('lets a Node process end once the client is closed', async () => {
    const address = new URL(await stack.webSocketUrl({ user: 'process' }));
    const code = `
      import WebSocket from 'ws';
      import { connect } from './client/index.ts';
      const [url, token] = process.argv.slice(-2);
      const client = connect({ url, token: () => token, WebSocket });
      console.log(JSON.stringify(await client.send('demo-message-send', { text: 'hi', toUserId: 'nobody' })));
      await client.close();
    `;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...args,
      `${address.origin}${address.pathname}`,
      address.searchParams.get('token') ?? '',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'delivered' });
  });

  it('iterates over a topic', async () => {
    const client = await connectAs('reader', ['orders.*']);
    const orders = client.subscribe('orders.eu');
    const first = orders[Symbol.asyncIterator]().next();
    await expect
      .poll(() => stack.publish({ to: 'topic:orders.eu', type: 'order', content: { id: 7 } }))
      .toMatchObject({ body: { delivered: 1 } });
    expect(await first).toMatchObject({ done: false });
    await client.close();
  });

  it('reconnects when its connection is cut', async () => {
    const client = await connectAs('cut');
    await client.send('demo-message-send', { text: 'first', toUserId: 'nobody' });
    const find = async () => {
      const { body } = await stack.call('GET', '/sessions?userType=member&userId=cut');
      return (body as { sessions: { connectionId: string }[] }).sessions.map(
        ({ connectionId }) => connectionId,
      );
    };
    const [before] = await find();
    // The connection ends without a `closing` frame, as at API Gateway's limit of two hours.
    await sendSigned({
      method: 'DELETE',
      url: new URL(`/live/@connections/${encodeURIComponent(before ?? '')}`, stack.url),
    });
    await expect.poll(async () => (await find()).filter((id) => id !== before)).toHaveLength(1);
    expect(await client.send('demo-message-send', { text: 'again', toUserId: 'nobody' })).toMatchObject({
      delivered: 0,
    });
    await client.close();
  });
});
