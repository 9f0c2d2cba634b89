import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { authorizerEvent, httpAuthorizerEvent, httpEvent, type HttpRequest } from './events.ts';
import { tokenOf, useCloud } from './functions-under-test.ts';

const cloud = useCloud();
const secret = 'a secret of at least thirty-two characters';
const origin = 'https://app.example.com';
const expiresAt = String(Date.now() + 3_600_000);
const context = {
  tenant: 'acme',
  userType: 'admin',
  userId: '42',
  tokenExpiresAt: expiresAt,
  tokenIssuedAt: '1795176000000',
  topics: 'orders.* a/b',
  send: '["order-*"]',
  watch: '["user:*"]',
  claims: '{"role":"admin"}',
};
const ticketAnswer = z.object({ ticket: z.string(), expiresIn: z.literal(30) });

describe('POST /tickets', () => {
  it('answers a ticket that opens a connection with all that the token allows', async () => {
    const { ask, authorize } = await load();
    const { status, ticket } = await ask();
    expect(status).toBe(200);
    expect(await authorize(authorizerEvent('c1=', { token: ticket }, { Origin: origin }))).toMatchObject({
      principalId: 'acme/admin/42',
      policyDocument: { Statement: [{ Effect: 'Allow' }] },
      context,
    });
    expect(cloud.current().logged()).not.toContain(ticket);
  });

  it('takes an empty object as its body', async () => {
    const { ask } = await load();
    expect(await ask({ body: '{}' })).toMatchObject({ status: 200 });
    expect(await ask({ body: 'e30=', isBase64Encoded: true })).toMatchObject({ status: 200 });
  });

  it.each([
    [{ body: '{"ttl":60}' }, 'ttl'],
    [{ body: '[]' }, 'body'],
    [{ body: '{' }, 'body'],
    [{ body: ' ' }, 'body'],
    [{ query: { tenant: 'other' } }, 'tenant'],
  ])('refuses %j, names the field and stores nothing', async (request, field) => {
    const { ask } = await load();
    expect(await ask(request)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field }] } },
    });
    const client = new DynamoDBClient({ endpoint: cloud.current().dynamodbEndpoint });
    expect(await client.send(new ScanCommand({ TableName: cloud.current().tables.state }))).toMatchObject({
      Count: 0,
    });
  });

  it('counts for the rate of the user, and is 429 above it', async () => {
    vi.stubEnv('USER_RATE', '{"rateLimit":1,"burstLimit":5}');
    const { ask } = await load();
    // A window may end between two of them, and not twice.
    const answers = [await ask(), await ask(), await ask()];
    expect(answers.map(({ status }) => status)).toContain(200);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ error: { code: 'rate_limited' } });
  });

  it('answers internal if the ticket cannot be stored, and only the log has the details', async () => {
    vi.stubEnv('STATE_TABLE', 'missing');
    const { ask } = await load();
    const { status, body } = await ask();
    expect(status).toBe(500);
    expect(body).toMatchObject({ error: { code: 'internal' } });
    expect(cloud.current().logged()).toContain('ResourceNotFoundException');
  });
});

describe('a ticket', () => {
  it('is refused the second time, and the log has a reason and no ticket', async () => {
    const { ask, authorize } = await load();
    const { ticket } = await ask();
    const event = authorizerEvent('c1=', { token: ticket }, { Origin: origin });
    await authorize(event);
    const answer = await authorize(event);
    expect(answer).toMatchObject({ policyDocument: { Statement: [{ Effect: 'Deny' }] } });
    expect(answer).not.toHaveProperty('context');
    expect(cloud.current().logged()).toContain('the ticket is unknown, used, expired or of another origin');
    expect(cloud.current().logged()).not.toContain(ticket.slice('swt_'.length));
  });

  it('is refused as a bearer token', async () => {
    const { ask, authorize } = await load();
    const { ticket } = await ask();
    const event = httpAuthorizerEvent('POST /messages', { authorization: `Bearer ${ticket}` });
    expect(await authorize(event)).toEqual({ isAuthorized: false });
    expect(cloud.current().logged()).toContain('a ticket is no token');
    expect(cloud.current().logged()).not.toContain(ticket);
  });

  it('is a fault (500) if the table cannot be reached, so that the client tries again', async () => {
    vi.stubEnv('STATE_TABLE', 'missing');
    const { authorize } = await load();
    const answer = authorize(authorizerEvent('c1=', { token: 'swt_x' }, { Origin: origin }));
    await expect(answer).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('with the setting connectWith', () => {
  const jwt = () => tokenOf({ sub: '42', exp: Math.floor(Date.now() / 1000) + 60 }, secret);
  const effect = (Effect: 'Allow' | 'Deny') => ({ policyDocument: { Statement: [{ Effect }] } });

  it('ticket, a token opens no connection, and is good as a bearer token', async () => {
    vi.stubEnv('CONNECT_WITH', 'ticket');
    const { ask, authorize } = await load();
    const token = jwt();
    expect(await authorize(authorizerEvent('c1=', { token }))).toMatchObject(effect('Deny'));
    expect(cloud.current().logged()).toContain('only a ticket opens a connection here');
    const bearer = httpAuthorizerEvent('POST /tickets', { authorization: `Bearer ${token}` });
    expect(await authorize(bearer)).toMatchObject({ isAuthorized: true });
    const { ticket } = await ask();
    const event = authorizerEvent('c1=', { token: ticket }, { Origin: origin });
    expect(await authorize(event)).toMatchObject(effect('Allow'));
  });

  it('token, a ticket opens no connection', async () => {
    vi.stubEnv('CONNECT_WITH', 'token');
    const { ask, authorize } = await load();
    expect(await authorize(authorizerEvent('c1=', { token: jwt() }))).toMatchObject(effect('Allow'));
    const { ticket } = await ask();
    const event = authorizerEvent('c1=', { token: ticket }, { Origin: origin });
    expect(await authorize(event)).toMatchObject(effect('Deny'));
  });
});

async function load() {
  mockClient(SecretsManagerClient).on(GetSecretValueCommand).resolves({ SecretString: secret });
  const { handler: authorize } = await import('../../lambdas/authorize.ts');
  const { handler: tickets } = await import('../../lambdas/tickets.ts');
  return {
    authorize,
    /** Asks for a ticket as a page of the allowed origin does. */
    ask: async (request: HttpRequest = {}) => {
      const event = httpEvent('POST /tickets', request);
      const answer = await tickets({
        ...event,
        headers: { ...event.headers, origin },
        requestContext: { ...event.requestContext, authorizer: { lambda: context } },
      });
      const body: unknown = JSON.parse(answer.body);
      const read = z.safeParse(ticketAnswer, body);
      return { status: answer.statusCode, body, ticket: read.success ? read.data.ticket : '' };
    },
  };
}
