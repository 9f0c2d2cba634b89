import { type Identity, parseTarget, readPublishRequest } from '../../protocol/index.ts';
import type { Claims, Rights } from '../auth/verified-token.ts';
import type { ContentAs, Outgoing } from '../content-form.ts';
import type { PresenceReader } from '../presence/reader.ts';
import type { Publish } from '../publish/publish.ts';
import type { Reply } from '../publish/reply.ts';
import type { CountSessions } from '../sessions/count.ts';
import {
  type ListenerContext,
  type ListenerLog,
  type ListenerSession,
  type SendOptions,
  topicRights,
} from './listener.ts';

export interface ContextParts {
  readonly publish: Publish;
  readonly reply: Reply;
  readonly countSessions: CountSessions;
  readonly presence: Pick<PresenceReader, 'ofUsers'>;
  readonly logger: DispatchLogger;
}

/** The fields of a line become fields of its JSON. */
export type DispatchLogger = Readonly<
  Record<keyof ListenerLog, (message: string, fields: Record<string, unknown>) => void>
>;

/** Who sent a frame. */
export interface Sender {
  readonly identity: Identity;
  readonly rights: Rights;
  readonly claims: Claims;
  /** The form of content in all that goes back. @default - that of the frame */
  readonly contentAs?: ContentAs | undefined;
  /** The connection it came on. `undefined`: it came by `POST /messages`. */
  readonly session: ListenerSession | undefined;
}

/** What a listener gets besides the content. With `isText` all that it sends is JSON text, as its sender writes it. */
export function createContext(
  { publish, reply, countSessions, presence, logger }: ContextParts,
  { identity: from, session, rights, claims, contentAs }: Sender,
  { isText = false, ...fields }: { readonly isText?: boolean; readonly type?: string },
): Omit<ListenerContext<unknown>, 'content'> {
  const { tenant, userType, userId } = from;
  const form: Outgoing['form'] = isText ? 'text' : undefined;
  const request = (to: string | readonly string[], type: string, content: unknown, options?: SendOptions) =>
    readPublishRequest({ ...options, to, type, content: writtenContent(content, isText) ?? null, tenant });
  return {
    from: { ...from, ...(Object.keys(claims).length > 0 && { claims }) },
    session,
    contentAs,
    topics: topicRights(rights.topics),
    watch: topicRights(rights.watch),
    presence: { of: (users) => presence.ofUsers(tenant, users) },
    sessions: { count: async (target) => countSessions(tenant, parseTarget(target, 'target')) },
    log: logOf(logger, { ...fields, connectionId: session?.connectionId }),
    reply: async (type, content) =>
      session
        ? reply(
            request(`session:${session.connectionId}`, type, content),
            { identity: from, ...session, contentAs },
            form,
          )
        : publish(request(`user:${userType}:${userId}`, type, content), from, form),
    send: async (to, type, content, options) => publish(request(to, type, content, options), from, form),
    sendText: async (to, text) => publish(readPublishRequest({ to, text, tenant }), from),
  };
}

/** Content as the sender of a frame writes it. */
export function writtenContent(content: unknown, isText: boolean): unknown {
  return isText ? JSON.stringify(content ?? null) : content;
}

/** A log whose lines carry these fields. */
function logOf(logger: DispatchLogger, fields: Readonly<Record<string, unknown>>): ListenerLog {
  const line = (level: keyof ListenerLog) => (message: string, more?: Record<string, unknown>) => {
    logger[level](message, { ...more, ...fields });
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
