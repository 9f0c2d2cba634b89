import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRoutes, type RouteKey } from '../../../lambdas/http/routes.ts';
import { readPublishRequest, Refusal } from '../../../protocol/index.ts';
import { type Core, sessionOf, useDynamoDB } from '../../core/core-under-test.ts';
import { httpEvent, type HttpRequest } from '../events.ts';

const dynamodb = useDynamoDB();
const tenants = ['default', 'acme'];
const userTypes = ['member', 'member2', 'admin'];
const userIds = ['1', '2'];
const identities = tenants.flatMap((tenant) =>
  userTypes.flatMap((userType) => userIds.map((userId) => ({ tenant, userType, userId }))),
);
/** One publication for each tenant. */
const messageIds = tenants.map(() => randomUUID());

/** A permitted query, with the name that its cursors carry. */
interface Query {
  readonly of: string;
  readonly route: RouteKey;
  readonly request: HttpRequest;
}

const queries: readonly Query[] = [
  ...identities.map((user): Query => {
    return { of: Object.values(user).join(':'), route: 'GET /sessions', request: { query: user } };
  }),
  ...tenants.flatMap((tenant) =>
    userTypes.map((userType): Query => {
      const query = { tenant, userType };
      return { of: `${tenant}:${userType}:`, route: 'GET /sessions', request: { query } };
    }),
  ),
  ...tenants.map((tenant, index): Query => {
    const messageId = messageIds[index] ?? '';
    const request = { path: { messageId }, query: { tenant, recipients: 'true' } };
    return { of: messageId, route: 'GET /publications/{messageId}', request };
  }),
];

const connectionIds = identities.flatMap((_, user) => ['a=', '-b', 'zC'].map((id) => `${String(user)}${id}`));

let core: Core;
beforeAll(async () => {
  core = await dynamodb.create({ shards: 2 });
  for (const [at, connectionId] of connectionIds.entries())
    await core.sessions.add(sessionOf(connectionId, identities[Math.floor(at / 3)]));
  await core.revocations.revoke({ tenant: 'default', userType: 'member', userId: '1' });
  for (const [index, tenant] of tenants.entries()) {
    const messageId = messageIds[index];
    const body = { to: 'everyone', type: 'x', content: 1, tenant, messageId, report: 'recipients' };
    await core.publish(readPublishRequest(body));
  }
});

const cancel = () => Promise.reject(new Error('No query cancels.'));

/** The connection ids that a query shows. */
async function shown({ route, request }: Query, cursor?: string): Promise<readonly string[]> {
  const query = { ...request.query, ...(cursor !== undefined && { cursor }) };
  const body = await createRoutes({ ...core, cancel }, {})[route](httpEvent(route, { ...request, query }));
  const { sessions, recipients } = body as Readonly<
    Record<string, readonly { connectionId: string }[] | undefined>
  >;
  return [...(sessions ?? []), ...(recipients ?? [])].map(({ connectionId }) => connectionId);
}

const ofAnyQuery = fc.constantFrom(...queries.map(({ of }) => of), '', 'default', ':::');
const keys = connectionIds.flatMap((id) => [id, ...userTypes.map((userType) => `${userType}#${id}`)]);
const edges = ['~', '~~', '!', '~revoked', ...userTypes.flatMap((type) => [`${type}#`, `${type}#~`, type])];
const after = fc.oneof(
  fc.constantFrom(...keys),
  fc.constantFrom(...edges),
  fc.string({ unit: 'grapheme-ascii' }),
  fc.string(),
);
const shard = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 1) },
  { weight: 1, arbitrary: fc.constantFrom(2, 1e15, '0') },
  { weight: 1, arbitrary: fc.double() },
);
const position = (of: fc.Arbitrary<string>) =>
  fc.record({ of, shard, after }, { requiredKeys: ['of', 'shard'] });
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A query, and a cursor that no page of it has returned. */
const forgery = fc.constantFrom(...queries).chain((query) =>
  fc.record({
    query: fc.constant(query),
    cursor: fc.oneof(
      { weight: 4, arbitrary: position(fc.constant(query.of)).map(encode) },
      { weight: 2, arbitrary: position(ofAnyQuery).map(encode) },
      { weight: 1, arbitrary: position(fc.constant(query.of)).map((its) => encode({ ...its, pk: 'x' })) },
      { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json).toString('base64url')) },
      { weight: 1, arbitrary: fc.string() },
    ),
  }),
);

describe('a forged cursor', () => {
  it('shows nothing that its query does not show without it, or is refused by name', async () => {
    const allowed = new Map<string, readonly string[]>();
    for (const query of queries) allowed.set(query.of, await shown(query));
    expect([...allowed.values()].flat()).toHaveLength(3 * connectionIds.length);
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(forgery, async ({ query, cursor }) => {
        try {
          for (const id of await shown(query, cursor)) expect(allowed.get(query.of)).toContain(id);
          accepted += 1;
        } catch (cause) {
          if (!(cause instanceof Refusal)) throw cause;
          expect(cause).toMatchObject({ code: 'bad_request', details: [{ field: 'cursor' }] });
        }
      }),
      { numRuns: 1000 },
    );
    // Positions within the range are no forgery: they only skip a part of the list.
    expect(accepted).toBeGreaterThan(50);
  });
});
