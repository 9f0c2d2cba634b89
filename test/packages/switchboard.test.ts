import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readPage } from '../docs/documents.ts';
import { pack, type PackedPackage, type Project } from './packed-package.ts';

const manifest = z.object({
  peerDependencies: z.object({ 'aws-cdk-lib': z.string(), constructs: z.string() }),
  devDependencies: z.object({ 'aws-cdk-lib': z.string(), constructs: z.string() }),
});
const { peerDependencies, devDependencies } = z.parse(manifest, JSON.parse(readPage('package.json')));

/** Both ends of the peer range. `^2.1.0` begins with 2.1.0, and ends with the version of this repository. */
const ends = [
  ['oldest', (name: 'aws-cdk-lib' | 'constructs') => peerDependencies[name].replace('^', '')],
  ['newest', (name: 'aws-cdk-lib' | 'constructs') => devDependencies[name]],
] as const;

const app = `
  import { App, Stack } from 'aws-cdk-lib';
  import { DomainName, type HttpApi, type HttpStage, type WebSocketApi, type WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
  import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
  import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
  import { AttributeType, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
  import { EventBus } from 'aws-cdk-lib/aws-events';
  import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
  import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
  import type { Queue } from 'aws-cdk-lib/aws-sqs';
  import { ChangeSource, ListenerTarget, PublishOnChange, Switchboard } from 'switchboard';

  const app = new App({ outdir: 'cdk.out' });
  const stack = new Stack(app, 'Mine');
  const code = Code.fromInline('exports.handler = () => {};');
  const service = new Function(stack, 'Service', { runtime: Runtime.NODEJS_22_X, handler: 'index.handler', code });
  const certificate = Certificate.fromCertificateArn(
    stack, 'Certificate', 'arn:aws:acm:us-east-1:123456789012:certificate/1');
  const domain = (id: string) => ({ domainName: new DomainName(stack, id, { domainName: id + '.example.com', certificate }) });
  const realtime = new Switchboard(stack, 'Realtime', {
    allowedOrigins: ['https://app.example.com'],
    listeners: 'listeners.ts',
    webSocketDomain: { ...domain('ws'), mappingKey: 'chat' },
    httpDomain: domain('api'),
    disableExecuteApiEndpoint: true,
    deletionProtection: true,
  });
  realtime.grantPublish(service);
  realtime.grantManageSessions(service);
  realtime.grantReadMessages(service);
  const secret = new Secret(stack, 'HookSecret');
  realtime.addTarget('order-*', ListenerTarget.lambda(service));
  realtime.addTarget('crm-*', ListenerTarget.http('https://crm.example.com/hook', { secret }));
  realtime.addLifecycleTarget(ListenerTarget.lambda(service, { timeoutMs: 1000 }));
  realtime.addLifecycleTarget(ListenerTarget.eventBus(new EventBus(stack, 'Bus')));
  realtime.addRoute('GET /desk/agents/{agentId}', service).grantInvoke(service);
  const bus = new EventBus(stack, 'Shop');
  const orders = new Table(stack, 'Orders', {
    partitionKey: { name: 'pk', type: AttributeType.STRING }, stream: StreamViewType.NEW_AND_OLD_IMAGES });
  const outbox = new TableV2(stack, 'Outbox', {
    partitionKey: { name: 'pk', type: AttributeType.STRING }, dynamoStream: StreamViewType.NEW_IMAGE });
  const changes = new PublishOnChange(stack, 'Rows', { realtime, source: ChangeSource.table(orders), map: 'changes.ts' });
  new PublishOnChange(stack, 'Events', {
    realtime, source: ChangeSource.events({ source: ['shop'], detailType: ['Shipped'] }, bus), map: 'changes.ts' });
  PublishOnChange.outbox(stack, 'Messages', { realtime, table: outbox });
  orders.grantReadData(changes.mapFunction);
  orders.grantReadWriteData(realtime.listenerFunction);
  realtime.listenerFunction.addEnvironment('ORDERS_TABLE', orders.tableName);
  export const resources: [WebSocketApi, WebSocketStage, HttpApi, HttpStage, Table, Queue, readonly Alarm[]] = [
    realtime.webSocketApi, realtime.webSocketStage, realtime.httpApi, realtime.httpStage, realtime.sessionsTable,
    realtime.fanOutDeadLetters, realtime.alarms,
  ];
  const { Resources } = app.synth().getStackByName('Mine').template as { Resources: Record<string, { Type: string }> };
  console.log(JSON.stringify(Object.values(Resources).map(({ Type }) => Type)));
`;

const listeners = `
  import { defineListener, Refusal } from 'switchboard/listener';
  import * as z from 'zod';

  export default [
    defineListener({
      type: 'order-create',
      content: z.object({ sku: z.string() }),
      async handle({ content, from, send, topics, log }) {
        if (content.sku === '') throw new Refusal('bad_content', 'sku: must not be empty');
        log.info('order', { sku: content.sku });
        if (topics.allows('orders')) await send('topic:orders', 'order-created', content, { durable: true });
        return { sku: content.sku, by: from.userId };
      },
    }),
  ];
`;

const changes = `
  import { defineChange, outboxItem, Refusal, type TableChange } from 'switchboard/change';

  interface Order { readonly orderId: string; readonly status: string }

  export default defineChange<TableChange<Order>>(({ kind, before, after }) => {
    if (kind === 'remove') return { to: 'everyone', type: 'order-gone', content: before.orderId };
    if (after.status === '') throw new Refusal('bad_request', 'status: is empty');
    return kind === 'modify' ? { to: 'topic:orders', type: 'order-changed', content: [before, after] } : null;
  });
  export const item: Record<string, string | number> = outboxItem({ to: 'everyone', type: 'x', content: 1 });
`;

const mapped = `
  import map, { item } from './changes.js';

  const about = { id: '1', time: 0, keys: {} };
  const message = await map({ kind: 'remove', ...about, before: { orderId: '7', status: 'sent' } });
  console.log(JSON.stringify([message, Object.keys(item)]));
`;

const service = `
  import { maxTargets } from 'switchboard/protocol';
  import { createPublisher, PublishError } from 'switchboard/publisher';

  const publisher = createPublisher({ functionName: 'publish', region: 'eu-west-1' });
  console.log(JSON.stringify([maxTargets, typeof publisher.publish, PublishError.name]));
`;

const call = `
  import { callListener } from 'switchboard/testing';
  import listeners from './listeners.js';

  const order = (sku: string) =>
    callListener(listeners, { type: 'order-create', content: { sku } }, { topics: ['*'], from: { userId: '7' } });
  const { ack, sent } = await order('tea');
  const { error } = await order('');
  console.log(JSON.stringify([ack, sent.map(({ to, type }) => [to, type]), error?.code]));
`;

/** The assets of the synthesised app that hold a text. */
async function assetsWith(folder: string, text: string): Promise<number> {
  const assembly = path.join(folder, 'cdk.out');
  const assets = (await readdir(assembly)).filter((name) => name.startsWith('asset.'));
  const files = await Promise.all(
    assets.map((name) => readFile(path.join(assembly, name, 'index.js'), 'utf8').catch(() => '')),
  );
  return files.filter((code) => code.includes(text)).length;
}

let packed: PackedPackage;
const projects = new Map<string, Project>();
const project = (end: string): Project => {
  const found = projects.get(end);
  if (!found) throw new Error(`There is no project ${end}.`);
  return found;
};
beforeAll(async () => {
  packed = await pack('.');
  await Promise.all(
    ends.map(async ([end, version]) => {
      const cdk = (['aws-cdk-lib', 'constructs'] as const).map((name) => `${name}@${version(name)}`);
      projects.set(end, await packed.install(...cdk));
    }),
  );
}, 600_000);
afterAll(() => packed.remove());

describe.each(ends)('switchboard in a CDK app with the %s version of its peers', (end) => {
  it('type-checks and synthesises', { timeout: 180_000 }, async () => {
    // aws-cdk-lib's own declarations do not pass exactOptionalPropertyTypes, so libraries are not checked.
    const files = {
      'app.ts': app,
      'listeners.ts': listeners,
      'changes.ts': changes,
      'mapped.ts': mapped,
      'service.ts': service,
      'call.ts': call,
    };
    expect(await project(end).compile(files, { skipLibCheck: true })).toBe('');
    const types: unknown = JSON.parse(await project(end).node('app.js'));
    const functions = z.parse(z.array(z.string()), types).filter((type) => type === 'AWS::Lambda::Function');
    // Ten functions of the construct, with the one for lifecycle targets, three for changes, and one of the service.
    expect(functions).toHaveLength(14);
    expect(await assetsWith(project(end).folder, 'order-create')).toBe(1);
    expect(await assetsWith(project(end).folder, 'order-gone')).toBe(1);
    expect(await assetsWith(project(end).folder, 'switchboardOutbox')).toBe(2);
  });
});

describe('switchboard', () => {
  it('has no faults for publint and Are The Types Wrong', { timeout: 60_000 }, async () => {
    expect(await packed.faults()).toEqual([]);
  });

  it('holds compiled code, without tests, sources and the other packages', () => {
    const others = packed.files.filter(
      (file) =>
        !/^dist\/(lib|lambdas|core|protocol|publisher|cli|functions)\/.+(?<!\.test)\.(js|d\.ts)$/.test(file),
    );
    expect(others.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
  });

  it('calls listeners without a stack', { timeout: 60_000 }, async () => {
    expect(JSON.parse(await project('newest').node('call.js'))).toEqual([
      { sku: 'tea', by: '7' },
      [[['topic:orders'], 'order-created']],
      'bad_content',
    ]);
  });

  it('maps changes and makes items of the outbox, without the CDK', { timeout: 60_000 }, async () => {
    expect(JSON.parse(await project('newest').node('mapped.js'))).toEqual([
      { to: 'everyone', type: 'order-gone', content: '7' },
      ['pk', 'sk', 'expiresAt', 'switchboardOutbox'],
    ]);
  });

  it('provides the imports of services', { timeout: 60_000 }, async () => {
    expect(JSON.parse(await project('newest').node('service.js'))).toEqual([100, 'function', 'PublishError']);
  });

  it('has a command that names the missing package', { timeout: 60_000 }, async () => {
    const bin = path.join('node_modules', '.bin', 'switchboard');
    expect(await project('newest').node(bin, '--help')).toContain('publish');
    await expect(project('newest').node(bin, 'local')).rejects.toMatchObject({
      code: 1,
      stderr: 'switchboard local needs a package: npm install @switchboard/local\n',
    });
  });
});
