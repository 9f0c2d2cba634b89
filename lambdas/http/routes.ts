import * as z from 'zod/mini';
import { scopeOf, type ServiceTenants } from '../../core/auth/service-tenants.ts';
import { listMessages } from '../../core/log/list.ts';
import type { Cancel } from '../../core/schedule/cancel.ts';
import { closings } from '../../core/sessions/closings.ts';
import { listSessions } from '../../core/sessions/list.ts';
import type { Switchboard } from '../../core/switchboard.ts';
import { readCursor, writeCursor } from '../../core/tables/page-cursor.ts';
import {
  connectionId,
  formatTarget,
  maxPageMessages,
  name,
  parseChannel,
  Refusal,
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
  | 'GET /channels/{channel}/messages';

/** Resolves to the body of a 200, or throws a `Refusal`. */
type Route = (event: HttpEvent) => Promise<unknown>;

const tenant = z.optional(name);
const publicationPath = z.object({ messageId: z.guid('must be a UUID').check(z.toLowerCase()) });
/** Recipients in one answer of a publication's report. */
const reportPageSize = 1000;

/** A Lambda answer has at most 6 MB, and escapes make JSON within JSON larger. */
const maxAnswerBytes = 2 * 1024 * 1024;

const pageLimit = `must be 1 to ${String(maxPageMessages)}`;
const messagesQuery = z.strictObject({
  tenant,
  after: z._default(wholeNumber('must be a whole number from 0', 0), 0),
  limit: z._default(wholeNumber(pageLimit, 1, maxPageMessages), 100),
});

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
  const { sessions, recipients, revocations, publications, reports, logs, closeSession, closeUser, cancel } =
    switchboard;

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
    const query = z.strictObject({
      tenant,
      userType: name,
      userId: z.optional(name),
      cursor: z.optional(z.string()),
    });
    const asked = queryOf(event, query);
    return listSessions(recipients, sessions, { ...asked, tenant: scope.tenantOf(asked.tenant) });
  }

  async function messagesOf(event: HttpEvent) {
    const scope = scopeOfCaller(event);
    const { channel: text } = pathOf(event, z.object({ channel: z.string() }));
    const channel = formatTarget(parseChannel(text, 'channel'));
    const { tenant: asked, after, limit } = queryOf(event, messagesQuery);
    const log = await logs.open({ tenant: scope.tenantOf(asked), channel });
    return listMessages(log, { after, limit, maxBytes: maxAnswerBytes });
  }

  async function closeById(event: HttpEvent) {
    const { identity, connectionId: id, connectedAt } = await connectionOf(event);
    // Also a session that has ended, because its connection may still be there.
    if (!(await sessions.row(identity, id))) throw unknown(id);
    await closeSession({ ...identity, connectionId: id, connectedAt }, closings.kicked);
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
  };
}
