import { describe, expect, it, vi } from 'vitest';
import { type Client, clientOf, connectEvent } from '../events.ts';
import { useCloud } from '../functions-under-test.ts';
import { load } from './api-under-test.ts';

const cloud = useCloud();

describe('GET /sessions/{connectionId}', () => {
  it('shows the session', async () => {
    const client = clientOf('c1=');
    const { request } = await load([client]);
    expect(await request('GET /sessions/{connectionId}', { path: { connectionId: 'c1=' } })).toEqual({
      status: 200,
      body: sessionOf(client),
    });
  });

  it('is 404 if there is none, and 400 for an invalid id', async () => {
    const { request } = await load();
    const path = (connectionId: string) => ({ path: { connectionId } });
    expect(await request('GET /sessions/{connectionId}', path('c1='))).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found', message: 'There is no session c1=.' } },
    });
    expect(await request('GET /sessions/{connectionId}', path('a#b'))).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field: 'connectionId' }] } },
    });
  });
});

describe('a session by its id', () => {
  it.each(['GET', 'DELETE'])(
    'takes no query: %s with a tenant is 400, and nothing is closed',
    async (method) => {
      const { request } = await load([clientOf('c1=')]);
      const route = `${method} /sessions/{connectionId}`;
      const query = { path: { connectionId: 'c1=' }, query: { tenant: 'other' } };
      expect(await request(route, query)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', details: [{ field: 'tenant' }] } },
      });
      const found = await request('GET /sessions/{connectionId}', { path: { connectionId: 'c1=' } });
      expect(found.status).toBe(200);
    },
  );
});

describe('GET /sessions', () => {
  it('lists a type, or a user', async () => {
    const [one, two] = [clientOf('c1='), clientOf('c2=', { userId: '2' })];
    const { request } = await load([one, two]);
    const { body } = await request('GET /sessions', { query: { userType: 'member' } });
    expect(body).toHaveProperty('sessions', expect.arrayContaining([sessionOf(one), sessionOf(two)]));
    expect(await request('GET /sessions', { query: { userType: 'member', userId: '2' } })).toEqual({
      status: 200,
      body: { sessions: [sessionOf(two)] },
    });
    const elsewhere = { userType: 'member', tenant: 'other' };
    expect(await request('GET /sessions', { query: elsewhere })).toEqual({
      status: 200,
      body: { sessions: [] },
    });
  });

  it('without a type lists everyone of the tenant, and by=user the users', async () => {
    const [one, two] = [clientOf('c1='), clientOf('c2=', { userId: '2' })];
    const { request } = await load([one, two]);
    const { body } = await request('GET /sessions', { query: {} });
    expect(body).toHaveProperty('sessions', expect.arrayContaining([sessionOf(one), sessionOf(two)]));
    const { status, body: first } = await request('GET /sessions', { query: { by: 'user', limit: '1' } });
    expect({ status, first }).toEqual({
      status: 200,
      first: {
        users: [{ user: 'member:1', sessions: 1, connectedAt: one.connectedAt }],
        cursor: expect.any(String) as string,
      },
    });
    const { cursor } = first as { cursor: string };
    expect(await request('GET /sessions', { query: { by: 'user', cursor } })).toEqual({
      status: 200,
      body: { users: [{ user: 'member:2', sessions: 1, connectedAt: two.connectedAt }] },
    });
  });

  it.each<{ query?: Record<string, string>; field: string }>([
    { query: { userId: '1' }, field: 'userType' },
    { query: { limit: '0' }, field: 'limit' },
    { query: { limit: '1001' }, field: 'limit' },
    { query: { by: 'type' }, field: 'by' },
    { query: { by: 'user', cursor: 'garbage' }, field: 'cursor' },
    { query: { userType: 'a#b' }, field: 'userType' },
    { query: { userType: 'member', userId: '' }, field: 'userId' },
    { query: { userType: 'member', tenant: '*' }, field: 'tenant' },
    { query: { userType: 'member', colour: 'red' }, field: 'colour' },
    { query: { userType: 'member', cursor: 'garbage' }, field: 'cursor' },
  ])('with $query is 400 and names $field', async ({ query, field }) => {
    const { request } = await load();
    expect(await request('GET /sessions', query && { query })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field }] } },
    });
  });
});

describe('DELETE /sessions', () => {
  it('by id sends the reason, closes the session, and is 404 the second time', async () => {
    const { request } = await load([clientOf('c1='), clientOf('c2=')]);
    const path = { connectionId: 'c1=' };
    expect(await request('DELETE /sessions/{connectionId}', { path })).toEqual({
      status: 200,
      body: { closed: 1 },
    });
    expect(cloud.current().callbackApi.calls).toMatchObject([
      {
        method: 'POST',
        connectionId: 'c1=',
        body: {
          type: 'closing',
          content: { code: 'kicked', message: 'The session was ended by the service.', retry: false },
        },
      },
      { method: 'DELETE', connectionId: 'c1=' },
    ]);
    expect(await request('DELETE /sessions/{connectionId}', { path })).toMatchObject({ status: 404 });
    expect(await request('GET /sessions/{connectionId}', { path: { connectionId: 'c2=' } })).toMatchObject({
      status: 200,
    });
  });

  it('of a user closes all sessions of the user, and no other', async () => {
    const { request } = await load([clientOf('c1='), clientOf('c2='), clientOf('c3=', { userId: '2' })]);
    const query = { userType: 'member', userId: '1' };
    expect(await request('DELETE /sessions', { query })).toEqual({ status: 200, body: { closed: 2 } });
    expect(await request('DELETE /sessions', { query })).toEqual({ status: 200, body: { closed: 0 } });
    expect(await request('GET /sessions', { query: { userType: 'member' } })).toMatchObject({
      body: { sessions: [{ connectionId: 'c3=' }] },
    });
  });

  it('of a user closes the sessions beyond the first page too', async () => {
    const clients = Array.from({ length: 101 }, (_, index) => clientOf(`c${String(index)}`));
    const { request } = await load(clients);
    const query = { userType: 'member', userId: '1' };
    expect(await request('DELETE /sessions', { query })).toEqual({ status: 200, body: { closed: 101 } });
    expect(await request('GET /sessions', { query })).toMatchObject({ body: { sessions: [] } });
  });

  it('of a user closes an open session that comes after a page of expired ones', async () => {
    const expired = Array.from({ length: 100 }, (_, index) =>
      clientOf(`a${String(index)}`, { tokenExpiresAt: Date.now() - 1 }),
    );
    const { request } = await load([...expired, clientOf('z=')]);
    const query = { userType: 'member', userId: '1' };
    expect(await request('DELETE /sessions', { query })).toEqual({ status: 200, body: { closed: 1 } });
  });

  it('of a user with revokeTokens revokes the tokens, and tells the sessions so', async () => {
    const { request } = await load([clientOf('c1=')]);
    const query = { userType: 'member', userId: '1', revokeTokens: 'true' };
    expect(await request('DELETE /sessions', { query })).toEqual({ status: 200, body: { closed: 1 } });
    expect(cloud.current().callbackApi.calls).toMatchObject([
      { connectionId: 'c1=', body: { content: { code: 'revoked', retry: false } } },
      { method: 'DELETE', connectionId: 'c1=' },
    ]);
    expect(await request('DELETE /sessions', { query })).toEqual({ status: 200, body: { closed: 0 } });
    const { connect } = await connectAgain();
    expect(await connect(connectEvent(clientOf('c2=')))).toEqual({ statusCode: 403 });
  });

  it('of a user without revokeTokens revokes nothing', async () => {
    const { request } = await load([clientOf('c1=')]);
    await request('DELETE /sessions', { query: { userType: 'member', userId: '1' } });
    const { connect } = await connectAgain();
    expect(await connect(connectEvent(clientOf('c2=')))).toEqual({ statusCode: 200 });
  });

  it.each(['false', '1', 'TRUE', ''])('with revokeTokens=%s is refused', async (revokeTokens) => {
    const { request } = await load([clientOf('c1=')]);
    const query = { userType: 'member', userId: '1', revokeTokens };
    expect(await request('DELETE /sessions', { query })).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'bad_request',
          details: [{ field: 'revokeTokens', message: 'must be true, or left out' }],
        },
      },
    });
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });

  it('of a whole type is refused: a user must be named', async () => {
    const { request } = await load([clientOf('c1=')]);
    expect(await request('DELETE /sessions', { query: { userType: 'member' } })).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'userId', message: 'is required' }] } },
    });
    expect(cloud.current().callbackApi.calls).toEqual([]);
  });

  it('of a connection that is already gone deletes the session', async () => {
    const { request } = await load([clientOf('c1=')]);
    cloud.current().callbackApi.statuses.set('c1=', 410);
    const path = { connectionId: 'c1=' };
    expect(await request('DELETE /sessions/{connectionId}', { path })).toMatchObject({ status: 200 });
    expect(await request('GET /sessions/{connectionId}', { path })).toMatchObject({ status: 404 });
  });

  it('by id is tried again after a 410, because the handshake of a young session may still run', async () => {
    const { request } = await load([clientOf('c1=')]);
    const { callbackApi } = cloud.current();
    callbackApi.statuses.set('c1=', 410);
    await request('DELETE /sessions/{connectionId}', { path: { connectionId: 'c1=' } });
    expect(callbackApi.calls.filter(({ method }) => method === 'DELETE')).toHaveLength(4);
  });

  it('that API Gateway refuses is 500: the session has ended, and its connection can be closed by a retry', async () => {
    const { request } = await load([clientOf('c1=')]);
    cloud.current().callbackApi.statuses.set('c1=', 403);
    const path = { connectionId: 'c1=' };
    expect(await request('DELETE /sessions/{connectionId}', { path })).toMatchObject({
      status: 500,
      body: { error: { code: 'internal' } },
    });
    expect(await request('GET /sessions/{connectionId}', { path })).toMatchObject({ status: 404 });

    cloud.current().callbackApi.statuses.clear();
    expect(await request('DELETE /sessions/{connectionId}', { path })).toMatchObject({ status: 200 });
    expect(await request('DELETE /sessions/{connectionId}', { path })).toMatchObject({ status: 404 });
  });
});

describe('the API', () => {
  it('answers 404 to a route it does not have', async () => {
    const { request } = await load();
    expect(await request('GET /constructor')).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    });
  });

  it('answers a fault with 500 internal, and only the log has the details', async () => {
    vi.stubEnv('SESSIONS_TABLE', 'missing');
    const { request } = await load();
    expect(await request('GET /sessions', { query: { userType: 'member', userId: '1' } })).toEqual({
      status: 500,
      body: { error: { code: 'internal', message: 'The request failed on our side; try again.' } },
    });
    expect(cloud.current().logged()).toContain('ResourceNotFoundException');
  });
});

function sessionOf({ connectionId, userId, connectedAt, tokenExpiresAt }: Client) {
  return {
    connectionId,
    tenant: 'default',
    userType: 'member',
    userId,
    connectedAt,
    tokenExpiresAt,
    topics: [],
    sourceIp: '192.0.2.1',
    userAgent: 'Mozilla/5.0',
  };
}

async function connectAgain() {
  const { handler: connect } = await import('../../../lambdas/connect.ts');
  return { connect };
}
