import { describe, expect, it, vi } from 'vitest';
import { clientOf, connectEvent, httpEvent, type HttpRequest } from '../events.ts';
import { useCloud } from '../functions-under-test.ts';

const cloud = useCloud();
const orders = 'arn:aws:sts::123456789012:assumed-role/Orders/i-0123';
const admin = 'arn:aws:iam::123456789012:user/Admin';
const stranger = 'arn:aws:sts::123456789012:assumed-role/Stranger/i-0123';
const notice = { to: 'user:member:1', type: 'notice-push', content: 1 };
const forbidden = { status: 403, body: { error: { code: 'forbidden' } } };
const notFound = { status: 404, body: { error: { code: 'not_found' } } };
const user = { userType: 'member', userId: '1' };

/** The routes with a tenant in the query, each with a request that is fine otherwise. */
const routes: readonly (readonly [string, HttpRequest])[] = [
  ['GET /sessions', { query: user }],
  ['DELETE /sessions', { query: user }],
  ['GET /channels/{channel}/messages', { path: { channel: 'everyone' } }],
  ['GET /presence', { query: { users: 'member:1' } }],
];

describe('a service of one tenant', () => {
  it('publishes to it by default, and to no other', async () => {
    const { publish } = await load();
    expect(await publish(orders, notice)).toMatchObject({ status: 200, body: { delivered: 1 } });
    expect(cloud.current().callbackApi.calls.map(({ connectionId }) => connectionId)).toEqual(['acme=']);
    expect(await publish(orders, { ...notice, tenant: 'acme' })).toMatchObject({ status: 200 });
    expect(await publish(orders, { ...notice, tenant: 'default' })).toMatchObject(forbidden);
    expect(cloud.current().callbackApi.calls).toHaveLength(2);
  });

  it('cannot publish to a session of another tenant', async () => {
    const { publish } = await load();
    const answer = await publish(orders, { ...notice, to: 'session:default=' });
    expect(answer).toMatchObject({ status: 200, body: { delivered: 0 } });
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });

  it.each(routes)('calls %s for it by default, and for no other', async (route, request) => {
    const { call } = await load();
    const of = (tenant: string) => ({ ...request, query: { ...request.query, tenant } });
    expect(await call(orders, route, of('default'))).toMatchObject(forbidden);
    expect(await call(orders, route, of('acme'))).toMatchObject({ status: 200 });
    expect(await call(orders, route, request)).toMatchObject({ status: 200 });
  });

  it('cancels messages of its tenant only', async () => {
    const { call } = await load();
    const request = { path: { messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11' } };
    const cancel = (arn: string, query: Record<string, string>) =>
      call(arn, 'DELETE /publications/{messageId}', { ...request, query });
    expect(await cancel(orders, { tenant: 'default' })).toMatchObject(forbidden);
    expect(await cancel(stranger, {})).toMatchObject(forbidden);
    const { state } = cloud.current().tables;
    const { createWaitingPublications } = await import('../../../core/publications/waiting.ts');
    const { db } = await import('../../../lambdas/database.ts');
    const { systemClock } = await import('../../../core/clock.ts');
    const waiting = createWaitingPublications({ db, table: state, clock: systemClock });
    const { messageId } = request.path;
    await waiting.schedule({ tenant: 'default', messageId }, 'hash', Date.now() + 60_000);
    expect(await cancel(orders, {})).toMatchObject(notFound);
    expect(await cancel(admin, {})).toMatchObject({ status: 200, body: { cancelled: true } });
  });

  it('sees and closes sessions of its tenant only, also by the id', async () => {
    const { call } = await load();
    const byId = (method: string, connectionId: string) =>
      call(orders, `${method} /sessions/{connectionId}`, { path: { connectionId } });
    expect(await byId('GET', 'default=')).toMatchObject(notFound);
    expect(await byId('DELETE', 'default=')).toMatchObject(notFound);
    expect(cloud.current().callbackApi.calls).toEqual([]);
    expect(await byId('GET', 'acme=')).toMatchObject({ status: 200, body: { tenant: 'acme' } });
    const { body } = await call(orders, 'GET /sessions', { query: user });
    expect(body).toMatchObject({ sessions: [{ connectionId: 'acme=' }] });
    expect(await call(orders, 'DELETE /sessions', { query: user })).toMatchObject({ body: { closed: 1 } });
    expect(await call(admin, 'GET /sessions', { query: user })).toMatchObject({
      body: { sessions: [{ connectionId: 'default=' }] },
    });
  });

  it('reads publications of its tenant only', async () => {
    const { publish, call } = await load();
    const messageId = '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11';
    await publish(admin, { ...notice, messageId });
    const read = (caller: string, query = {}) =>
      call(caller, 'GET /publications/{messageId}', { path: { messageId }, query });
    expect(await read(admin)).toMatchObject({ status: 200 });
    expect(await read(orders)).toMatchObject(notFound);
    expect(await read(orders, { tenant: 'default' })).toMatchObject(forbidden);
    // The same id is another publication in another tenant.
    expect(await publish(orders, { ...notice, messageId })).toMatchObject({ body: { delivered: 1 } });
    expect(await read(orders)).toMatchObject({ status: 200 });
  });
});

describe('a caller without a tenant', () => {
  it.each([
    ...routes,
    ['GET /sessions/{connectionId}', { path: { connectionId: 'acme=' } }],
    ['DELETE /sessions/{connectionId}', { path: { connectionId: 'acme=' } }],
    ['GET /publications/{messageId}', { path: { messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11' } }],
  ] as const)('is refused by %s', async (route, request) => {
    const { call } = await load();
    expect(await call(stranger, route, request)).toMatchObject(forbidden);
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });

  it('cannot publish', async () => {
    const { publish } = await load();
    for (const tenant of [undefined, 'acme'])
      expect(await publish(stranger, { ...notice, tenant })).toMatchObject(forbidden);
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });
});

describe('a direct invocation', () => {
  it('is refused, and told to call over HTTP', async () => {
    const { invoke } = await load();
    expect(await invoke({ ...notice, tenant: 'acme' })).toMatchObject({
      error: { code: 'forbidden', message: expect.stringContaining('Call over HTTP') as string },
    });
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });
});

/** A session of user 1 in each of two tenants, and the functions for services. */
async function load() {
  vi.stubEnv('SERVICE_TENANTS', '{"Orders":"acme","Admin":"*"}');
  const { handler: connect } = await import('../../../lambdas/connect.ts');
  const { handler: api } = await import('../../../lambdas/api.ts');
  const { handler: invoke } = await import('../../../lambdas/publish.ts');
  for (const tenant of ['acme', 'default']) {
    const event = connectEvent(clientOf(`${tenant}=`));
    const authorizer = { ...event.requestContext.authorizer, tenant };
    await connect({ ...event, requestContext: { ...event.requestContext, authorizer } });
  }
  const eventOf = (userArn: string, routeKey: string, request: HttpRequest) => {
    const event = httpEvent(routeKey, request);
    return { ...event, requestContext: { ...event.requestContext, authorizer: { iam: { userArn } } } };
  };
  return {
    invoke,
    call: async (caller: string, route: string, request: HttpRequest) => {
      const { statusCode, body } = await api(eventOf(caller, route, request));
      return { status: statusCode, body: JSON.parse(body) as unknown };
    },
    publish: async (caller: string, message: object) => {
      const answer = await invoke(eventOf(caller, 'POST /publish', { body: JSON.stringify(message) }));
      const { statusCode, body } = answer as { statusCode: number; body: string };
      return { status: statusCode, body: JSON.parse(body) as unknown };
    },
  };
}
