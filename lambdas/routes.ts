import * as z from 'zod/mini';
import type { ListChannel } from '../core/log/list.ts';
import type { ChannelLog } from '../core/log/append.ts';
import type { CloseSession } from '../core/sessions/close.ts';
import { readCursor, writeCursor } from '../core/tables/page-cursor.ts';
import type { Publications } from '../core/publications/publications.ts';
import type { RecipientReports } from '../core/publications/report.ts';
import type { Recipients } from '../core/sessions/recipients.ts';
import { listSessions } from '../core/sessions/list.ts';
import type { Sessions } from '../core/sessions/sessions.ts';
import {
  type Closing,
  connectionId,
  defaultTenant,
  formatTarget,
  maxPageMessages,
  name,
  parseChannel,
  Refusal,
} from '../protocol/index.ts';
import type { HttpEvent } from './events.ts';
import { noQuery, pathOf, queryOf } from './http-request.ts';

export interface RouteParts {
  readonly sessions: Sessions;
  readonly recipients: Recipients;
  readonly reports: RecipientReports;
  readonly publications: Publications;
  readonly channelLog: Pick<ChannelLog, 'head'>;
  readonly listChannel: ListChannel;
  readonly closeSession: CloseSession;
}

type Route = (event: HttpEvent) => Promise<unknown>;

const tenant = z._default(name, defaultTenant);
/** Recipients in one answer of a publication's report. */
const reportPageSize = 1000;

/** Lambda's answers end at 6 MB, and JSON in JSON grows by its escapes. */
const maxAnswerBytes = 2 * 1024 * 1024;

const pageLimit = `must be 1 to ${String(maxPageMessages)}`;
const messagesQuery = z.strictObject({
  tenant,
  after: z._default(wholeNumber('must be a whole number from 0', 0), 0),
  limit: z._default(wholeNumber(pageLimit, 1, maxPageMessages), 100),
});

/** A number in a query, where everything is text. */
function wholeNumber(message: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return z.pipe(
    z.pipe(z.string().check(z.regex(/^\d{1,15}$/, message)), z.transform(Number)),
    z.int().check(z.gte(minimum, message), z.lte(maximum, message)),
  );
}

const kicked: Closing = { code: 'kicked', message: 'The session was ended by the service.', retry: false };

/** Each route of the HTTP API by its key; a route resolves to the body of a 200, or throws a `Refusal`. */
export function createRoutes({
  sessions,
  recipients,
  publications,
  reports,
  channelLog,
  listChannel,
  closeSession,
}: RouteParts): ReadonlyMap<string, Route> {
  async function sessionById(event: HttpEvent) {
    const { connectionId: id } = pathOf(event, z.object({ connectionId }));
    queryOf(event, noQuery);
    const found = await recipients.byConnection(id);
    const session = found && (await sessions.get(found.identity, id));
    if (!session) throw new Refusal('not_found', `There is no session ${id}.`);
    return session;
  }

  async function publication(event: HttpEvent) {
    const { messageId } = pathOf(
      event,
      z.object({ messageId: z.guid('must be a UUID').check(z.toLowerCase()) }),
    );
    const query = z.strictObject({
      tenant,
      recipients: z.optional(z.literal('true')),
      cursor: z.optional(z.string()),
    });
    const { tenant: ofTenant, cursor, ...asked } = queryOf(event, query);
    const id = { tenant: ofTenant, messageId };
    const found = await publications.get(id);
    if (!found) throw new Refusal('not_found', `There is no publication ${messageId}.`);
    if (!asked.recipients) return found;
    const { recipients: page, next } = await reports.page(id, readCursor(messageId, cursor), reportPageSize);
    return { ...found, recipients: page, ...(next && { cursor: writeCursor(messageId, next) }) };
  }

  function list(event: HttpEvent) {
    const query = z.strictObject({
      tenant,
      userType: name,
      userId: z.optional(name),
      cursor: z.optional(z.string()),
    });
    return listSessions(recipients, sessions, queryOf(event, query));
  }

  async function messagesOf(event: HttpEvent) {
    const { channel: text } = pathOf(event, z.object({ channel: z.string() }));
    const channel = formatTarget(parseChannel(text, 'channel'));
    const { tenant: ofTenant, after, limit } = queryOf(event, messagesQuery);
    const log = { tenant: ofTenant, channel };
    const head = await channelLog.head(log);
    return listChannel({ log, head, after, limit, maxBytes: maxAnswerBytes });
  }

  async function closeById(event: HttpEvent) {
    await closeSession(await sessionById(event), kicked);
    return { closed: 1 };
  }

  async function closeOfUser(event: HttpEvent) {
    const user = queryOf(event, z.strictObject({ tenant, userType: name, userId: name }));
    let closed = 0;
    let cursor: string | undefined;
    do {
      const page = await listSessions(recipients, sessions, { ...user, cursor });
      const ends = await Promise.allSettled(page.sessions.map((session) => closeSession(session, kicked)));
      const failure = ends.find((end) => end.status === 'rejected');
      // Not before all have ended or failed: the function must not be put to sleep in the middle.
      if (failure) throw failure.reason;
      closed += page.sessions.length;
      ({ cursor } = page);
    } while (cursor !== undefined);
    return { closed };
  }

  return new Map<string, Route>([
    ['GET /sessions', list],
    ['GET /sessions/{connectionId}', sessionById],
    ['DELETE /sessions', closeOfUser],
    ['DELETE /sessions/{connectionId}', closeById],
    ['GET /publications/{messageId}', publication],
    ['GET /channels/{channel}/messages', messagesOf],
  ]);
}
