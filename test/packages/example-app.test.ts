import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sendSigned } from '../../publisher/signed-request.ts';
import { startBrowser } from '../e2e/chromium.ts';
import { Client, type Frame } from '../e2e/client.ts';
import { type ExampleApp, installExampleApp, type RunningCommand } from './example-app.ts';

let app: ExampleApp;
let cloud: RunningCommand;
let url = '';
let crmUrl = '';
const slow = { timeout: 60_000 };

async function connect(user: string): Promise<Client> {
  const token = await app.run('npx', 'switchboard', 'token', '--user', user, '--topics', 'orders');
  return Client.open(`${url.replace('http', 'ws')}/live?token=${token.trim()}`);
}

async function ask(client: Client, type: string, content?: unknown): Promise<Frame> {
  return client.ask({ type, id: randomUUID(), content });
}

beforeAll(async () => {
  app = await installExampleApp();
  const secret = (await app.run('npm', 'run', '--silent', 'secret')).trim();
  const crm = app.start(['python3', 'crm/server.py', '0'], { CRM_SECRET: secret });
  [, crmUrl = ''] = await crm.line(/Listening on (\S+)/);
  const command = ['npx', 'switchboard', 'local', '--watch', '--port', '0', '-c', `crmUrl=${crmUrl}`];
  cloud = app.start(command);
  [, url = ''] = await cloud.line(/Ready at (\S+)\//);
}, 600_000);
afterAll(() => app.remove(), 60_000);

// Outside the repository, on the packed packages: what a user has after `npm install`.
describe('an app of a user', () => {
  it('type-checks', { timeout: 180_000 }, async () => {
    await expect(app.run('npx', 'tsc', '-p', '.')).resolves.toBe('');
  });

  it('tests its listeners without a stack', slow, async () => {
    expect(await app.run('npm', 'test')).toMatch(/# pass 3\n# fail 0/);
  });

  it('answers frames from its own table, and sends to a topic', slow, async () => {
    const [buyer, watcher] = [await connect('42'), await connect('43')];
    await ask(watcher, 'subscribe', { topic: 'orders' });
    const content = { sku: 'tea', quantity: 2 };
    const order = await ask(buyer, 'order-create', content);
    expect(order).toMatchObject({ type: 'ack', content });
    expect(await watcher.next()).toMatchObject({ type: 'order-created', content, channel: 'topic:orders' });
    expect(await ask(buyer, 'order-list')).toMatchObject({ type: 'ack', content: { orders: [content] } });
    expect(await ask(buyer, 'order-create', { sku: 'tea', quantity: 101 })).toMatchObject({
      type: 'error',
      content: { code: 'bad_content', message: 'content.quantity: must be at most 100' },
    });
  });

  it('tells all who watch of a row that is gone', slow, async () => {
    const [buyer, ...watchers] = [await connect('42'), await connect('43'), await connect('44')];
    const { content } = await ask(buyer, 'order-create', { sku: 'tea', quantity: 1 });
    const { orderId } = content as { orderId: string };
    for (const watcher of watchers) await ask(watcher, 'subscribe', { topic: 'orders' });
    await ask(buyer, 'order-cancel', { orderId });
    for (const watcher of watchers)
      expect(await watcher.next()).toMatchObject({ type: 'order-cancelled', content: { orderId } });
  });

  it('answers frames from a target in Lambda', slow, async () => {
    const client = await connect('42');
    const check = (sku: string) => ask(client, 'stock-check', { sku });
    expect(await check('tea')).toMatchObject({ type: 'ack', content: { sku: 'tea', left: 12 } });
    expect(await check('ink')).toMatchObject({
      type: 'error',
      content: { code: 'not_found', message: 'content.sku: is not sold here' },
    });
  });

  it('answers frames from a server in Python, which checks the signature', slow, async () => {
    const client = await connect('42');
    expect(await ask(client, 'crm-note', { text: 'called' })).toMatchObject({
      type: 'ack',
      content: { noted: 'called', for: '42' },
    });
    expect(await ask(client, 'crm-note', {})).toMatchObject({
      type: 'error',
      content: { code: 'bad_content' },
    });
    const forged = await fetch(crmUrl, { method: 'POST', body: '{}' });
    expect(forged.status).toBe(401);
  });

  it('is told who comes and who leaves', slow, async () => {
    const client = await connect('visitor');
    await cloud.line(/Audit.*"kind":"connected","userId":"visitor"/);
    client.socket.close();
    await cloud.line(/Audit.*"kind":"disconnected","userId":"visitor"/);
  });

  it('has a signed route of its own', slow, async () => {
    const response = await sendSigned({ method: 'GET', url: new URL('/stock', url) });
    expect([response.status, await response.json()]).toEqual([200, { tea: 12, coffee: 0 }]);
    expect((await fetch(new URL('/stock', url))).status).toBe(403);
  });

  it('has a page that shows orders as they come', slow, async () => {
    const webSocketUrl = `${url.replace('http', 'ws')}/live`;
    const server = app.start(['npm', 'run', '--silent', 'page', '--', '--port', '0', '--url', webSocketUrl]);
    const [, link = ''] = await server.line(/^user 42 {2}(\S+)/);
    const browser = await startBrowser();
    onTestFinished(() => browser.close());
    const page = await browser.context.newPage();
    await page.goto(link);
    await page.getByText('open', { exact: true }).waitFor();
    await page.getByLabel('Article').fill('coffee');
    await page.getByRole('button', { name: 'Order' }).click();
    const order = page.getByRole('listitem').filter({ hasText: '1 × coffee' });
    await order.getByRole('button', { name: 'Cancel' }).click();
    await order.waitFor({ state: 'detached' });
  });

  it('runs a saved change on the connection that is open', slow, async () => {
    const client = await connect('42');
    await app.edit('order-listeners.ts', (text) => text.replace('mostPerOrder = 100', 'mostPerOrder = 3'));
    await expect
      .poll(async () => ask(client, 'order-create', { sku: 'tea', quantity: 4 }), { timeout: 30_000 })
      .toMatchObject({ type: 'error', content: { message: 'content.quantity: must be at most 3' } });
  });
});
