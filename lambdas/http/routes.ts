import * as z from 'zod/mini';
import { scopeOf, type ServiceTenants } from '../../core/auth/service-tenants.ts';
import { listMessages, oneStart } from '../../core/log/list.ts';
import type { Cancel } from '../../core/schedule/cancel.ts';
import { closings } from '../../core/sessions/closings.ts';
import { listUsers } from '../../core/sessions/list-users.ts';
import { contentAsOf } from '../../core/sessions/items.ts';
import { listSessions } from '../../core/sessions/list.ts';
import type { Switchboard } from '../../core/switchboard.ts';
import { readCursor, writeCursor } from '../../core/tables/page-cursor.ts';
import {
  connectionId,
  formatTarget,
  maxPageMessages,
  maxPageSessions,
  name,
  parseChannel,
  Refusal,
  topicName,
} from '../../protocol/index.ts';
import type { HttpEvent } from '../events.ts';
import { callerArn, noQuery, pathOf, queryOf } from './http.ts';

/** The routes that services call, except `POST /publish`. lib/http-api.ts creates them. */
export type RouteKey =
  | 'GET /sessions'
  | 'DELETE /sessions'
  | 'GET /sessions/{connectionId}'
  | 'DELETE /sessions/{connectionId}'
  | 'GET /publications/{messageId}'
  | 'DELETE /publications/{messageId}'
  | 'GET /channels/{channel}/messages'
  | 'GET /presence';

/** Resolves to the body of a 200, or throws a `Refusal`. */
type Route = (event: HttpEvent) => Promise<unknown>;

const tenant = z.optional(name);
const publicationPath = z.object({ messageId: z.guid('must be a UUID').check(z.toLowerCase()) });
/** Recipients in one answer of a publication's report. */
const reportPageSize = 1000;

/** A Lambda answer has at most 6 MB, and escapes make JSON within JSON larger. */
const maxAnswerBytes = 2 * 1024 * 1024;

const sessionLimit = `must be 1 to ${String(maxPageSessions)}`;
const sessionsQuery = z
  .strictObject({
    tenant,
    userType: z.optional(name),
    userId: z.optional(name),
    by: z.optional(z.literal('user', 'must be user, or left out')),
    limit: z._default(wholeNumber(sessionLimit, 1, maxPageSessions), 100),
    cursor: z.optional(z.string()),
  })
  .check(
    z.refine(({ userType, userId }) => userType !== undefined || userId === undefined, {
      path: ['userType'],
      message: 'is required with userId',
    }),
  );

const pageLimit = `must be 1 to ${String(maxPageMessages)}`;
const messagesQuery = z
  .strictObject({
    tenant,
    after: z.optional(wholeNumber('must be a whole number from 0', 0)),
    before: z.optional(wholeNumber('must be a whole number from 1', 1)),
    limit: z._default(wholeNumber(pageLimit, 1, maxPageMessages), 100),
  })
  .check(oneStart);

/** A number in a query string, whose values are all text. */
function wholeNumber(message: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return z.pipe(
    z.pipe(z.string().check(z.regex(/^\d{1,15}$/, message)), z.transform(Number)),
    z.int().check(z.gte(minimum, message), z.lte(maximum, message)),
  );
}

export function createRoutes(
  switchboard: Switchboard & { readonly cancel: Cancel },
  serviceTenants: ServiceTenants,
): Readonly<Record<RouteKey, Route>> {
  const { sessions, recipients, revocations, publications, reports, logs } = switchboard;
  const { presence, closeSession, closeUser, cancel } = switchboard;

  const unknown = (id: string) => new Refusal('not_found', `There is no session ${id}.`);
  const scopeOfCaller = (event: HttpEvent) => scopeOf(callerArn(event), serviceTenants);

  async function connectionOf(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const { connectionId: id } = pathOf(event, z.object({ connectionId }));
    queryOf(event, noQuery);
    const found = await recipients.byConnection(id);
    if (!found || !scope.includes(found.identity.tenant)) throw unknown(id);
    return found;
  }

  async function sessionById(event: HttpEvent) {
    const { identity, connectionId: id } = await connectionOf(event);
    const session = await sessions.get(identity, id);
    if (!session) throw unknown(id);
    return session;
  }

  async function publication(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const { messageId } = pathOf(event, publicationPath);
    const query = z.strictObject({
      tenant,
      recipients: z.optional(z.literal('true')),
      cursor: z.optional(z.string()),
    });
    const { cursor, ...asked } = queryOf(event, query);
    if (cursor !== undefined && !asked.recipients)
      throw Refusal.at('bad_request', 'cursor', 'needs recipients=true');
    const id = { tenant: scope.tenantOf(asked.tenant), messageId };
    const found = await publications.get(id);
    if (!found) throw new Refusal('not_found', `There is no publication ${messageId}.`);
    if (!asked.recipients) return found;
    const { recipients: page, next } = await reports.page(id, readCursor(messageId, cursor), reportPageSize);
    return { ...found, recipients: page, ...(next && { cursor: writeCursor(messageId, next) }) };
  }

  async function cancelPublication(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const { messageId } = pathOf(event, publicationPath);
    const asked = queryOf(event, z.strictObject({ tenant }));
    await cancel({ tenant: scope.tenantOf(asked.tenant), messageId });
    return { cancelled: true };
  }

  async function list(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const { by, ...asked } = queryOf(event, sessionsQuery);
    const query = { ...asked, tenant: scope.tenantOf(asked.tenant) };
    return by === 'user' ? listUsers(recipients, query) : listSessions(recipients, sessions, query);
  }

  async function messagesOf(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const { channel: text } = pathOf(event, z.object({ channel: z.string() }));
    const channel = formatTarget(parseChannel(text, 'channel'));
    const { tenant: asked, after = 0, before, limit } = queryOf(event, messagesQuery);
    const log = await logs.open({ tenant: scope.tenantOf(asked), channel });
    const start = before === undefined ? { after } : { before };
    return listMessages(log, start, { limit, maxBytes: maxAnswerBytes });
  }

  async function presenceOf(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const query = z.strictObject({
      tenant,
      users: z.optional(z.string()),
      topic: z.optional(topicName),
      cursor: z.optional(z.string()),
    });
    const { tenant: asked, users, topic, cursor } = queryOf(event, query);
    const of = scope.tenantOf(asked);
    if ((users === undefined) === (topic === undefined))
      throw Refusal.at('bad_request', 'users', 'must be given, or topic, and not both');
    if (topic !== undefined) return presence.ofTopic(of, topic, cursor);
    if (cursor !== undefined) throw Refusal.at('bad_request', 'cursor', 'needs a topic');
    return { users: await presence.ofUsers(of, users?.split(',') ?? []) };
  }

  async function closeById(event: HttpEvent) {
    const { identity, connectionId: id, connectedAt } = await connectionOf(event);
    // Also a session that has ended, because its connection may still be there.
    const row = await sessions.row(identity, id);
    if (!row) throw unknown(id);
    const contentAs = contentAsOf(row);
    await closeSession({ ...identity, connectionId: id, connectedAt, contentAs }, closings.kicked);
    return { closed: 1 };
  }

  async function closeOfUser(event: HttpEvent) {
    const query = z.strictObject({
      tenant,
      userType: name,
      userId: name,
      revokeTokens: z.optional(z.literal('true', 'must be true, or left out')),
    });
    const scope = scopeOfCaller(event);
    const { revokeTokens, ...asked } = queryOf(event, query);
    const user = { ...asked, tenant: scope.tenantOf(asked.tenant) };
    if (!revokeTokens) return { closed: await closeUser(user, closings.kicked) };
    // First, so that a handshake which the list does not find is refused (core/sessions/open.ts).
    await revocations.revoke(user);
    return { closed: await closeUser(user, closings.revoked) };
  }

  return {
    'GET /sessions': list,
    'DELETE /sessions': closeOfUser,
    'GET /sessions/{connectionId}': sessionById,
    'DELETE /sessions/{connectionId}': closeById,
    'GET /publications/{messageId}': publication,
    'DELETE /publications/{messageId}': cancelPublication,
    'GET /channels/{channel}/messages': messagesOf,
    'GET /presence': presenceOf,
  };
}
