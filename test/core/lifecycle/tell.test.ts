import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readLifecycleEvent } from '../../../core/lifecycle/event.ts';
import type { Retry } from '../../../core/lifecycle/retries.ts';
import { createTell } from '../../../core/lifecycle/tell.ts';
import type { LifecycleTargetSettings } from '../../../core/targets/settings.ts';
import { createTestClock, startOfTime } from '../core-under-test.ts';
import { json, useEndpoint } from '../targets/endpoint.ts';
import { record } from './records.ts';

const endpoint = useEndpoint();
const event = readLifecycleEvent(record('INSERT', 'c1='), startOfTime);
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:audit';
const busArn = 'arn:aws:events:us-east-1:123456789012:event-bus/orders';
const http = (name: string) => {
  return { url: `${endpoint.url}/${name}`, secret: 'secret', timeoutMs: 5000 };
};

function tellTo(targets: readonly LifecycleTargetSettings[], add = (_retry: Retry) => Promise.resolve()) {
  const retries: Retry[] = [];
  const warnings: unknown[] = [];
  const tell = createTell({
    targets,
    retries: {
      async add(retry) {
        await add(retry);
        retries.push(retry);
      },
    },
    logger: { warn: (...entry: unknown[]) => warnings.push(entry) },
    readSecret: () => Promise.resolve('A'.repeat(32)),
    endpoint: endpoint.url,
    clock: createTestClock(),
  });
  return { tell, retries, warnings };
}

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => vi.unstubAllEnvs());

describe('an event', () => {
  it('reaches every target, as the same object', async () => {
    const { tell, retries } = tellTo([http('a'), http('b'), { lambda: functionArn, timeoutMs: 5000 }]);
    endpoint.respond = json(null);
    await tell.all(event);
    const requests = endpoint.requests.values;
    expect(requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([event, event, event]);
    expect(new Set(requests.map(({ path }) => path)).size).toBe(3);
    expect(retries).toEqual([]);
  });

  it.each(['', '{}', 'taken'])('was taken, whatever the answer says: %j', async (answer) => {
    endpoint.respond = (response) => response.end(answer);
    const { tell, retries } = tellTo([http('a')]);
    await tell.all(event);
    expect(retries).toEqual([]);
  });

  it('waits in the queue for the one target that failed, and the others are told', async () => {
    endpoint.respond = (response, { path }) => response.writeHead(path === '/bad' ? 500 : 204).end();
    const { tell, retries, warnings } = tellTo([http('a'), http('bad'), http('b')]);
    await tell.all(event);
    expect(endpoint.requests.values.map(({ path }) => path).sort()).toEqual(['/a', '/b', '/bad']);
    expect(retries).toEqual([{ target: `${endpoint.url}/bad`, event }]);
    expect(warnings).toEqual([
      ['lifecycle target failed', expect.objectContaining({ target: new URL(endpoint.url).host })],
    ]);
  });

  it('has failed as a whole if the queue did not take it, after all targets were tried', async () => {
    endpoint.respond = (response, { path }) => response.writeHead(path === '/bad' ? 500 : 204).end();
    const { tell } = tellTo([http('bad'), http('a')], () => Promise.reject(new Error('no queue')));
    await expect(tell.all(event)).rejects.toThrow('The queue of retries took no event.');
    expect(endpoint.requests.values).toHaveLength(2);
  });
});

describe('a retry', () => {
  it('tells its target only', async () => {
    const { tell, warnings } = tellTo([http('a'), http('b')]);
    await tell.again({ target: `${endpoint.url}/b`, event });
    expect(endpoint.requests.values.map(({ path }) => path)).toEqual(['/b']);
    expect(warnings).toEqual([]);
  });

  it('fails if its target fails again', async () => {
    endpoint.respond = json({}, 503);
    const { tell } = tellTo([http('a')]);
    await expect(tell.again({ target: `${endpoint.url}/a`, event })).rejects.toThrow('status 503');
  });

  it('for a target that has been removed is dropped, with a warning', async () => {
    const { tell, warnings } = tellTo([http('a')]);
    await tell.again({ target: `${endpoint.url}/removed`, event });
    expect(endpoint.requests.values).toEqual([]);
    expect(warnings).toEqual([['lifecycle target is gone', expect.anything()]]);
  });
});

describe('an event bus', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_REGION', 'us-east-1');
    vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', endpoint.url);
  });

  it.each([
    ['INSERT', 'Session Connected'],
    ['REMOVE', 'Session Disconnected'],
  ] as const)('gets an %s as %s, with the event as its detail', async (change, detailType) => {
    endpoint.respond = json({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] });
    const { tell, retries } = tellTo([{ eventBus: busArn }]);
    const told = readLifecycleEvent(record(change, 'c1='), startOfTime);
    await tell.all(told);
    const { headers, body } = await endpoint.requests.next();
    const { Entries } = JSON.parse(body) as { Entries: { Detail: string }[] };
    expect(headers['x-amz-target']).toBe('AWSEvents.PutEvents');
    expect(Entries).toEqual([
      { EventBusName: busArn, Source: 'switchboard', DetailType: detailType, Detail: JSON.stringify(told) },
    ]);
    expect(retries).toEqual([]);
  });

  it('that refuses the entry, in an answer with status 200, has failed', async () => {
    const refused = { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };
    endpoint.respond = json({ FailedEntryCount: 1, Entries: [refused] });
    const { tell, retries } = tellTo([{ eventBus: busArn }]);
    await tell.all(event);
    expect(retries).toEqual([{ target: busArn, event }]);
  });

  it('that answers with an error has failed', async () => {
    endpoint.respond = json({ __type: 'InternalException' }, 500);
    const { tell, retries } = tellTo([{ eventBus: busArn }]);
    await tell.all(event);
    expect(retries).toEqual([{ target: busArn, event }]);
  });
});
