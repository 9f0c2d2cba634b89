/** The module that users import as `switchboard/testing`: calls listeners as the service does, without a stack. */
import * as z from 'zod/mini';
import {
  type Delivered,
  type ErrorCode,
  type ErrorDetail,
  formatTarget,
  type Identity,
  maxUplinkFrameBytes,
  name,
  parseWith,
  type PublishAnswer,
  type PublishRequest,
  type UserPresence,
} from '../protocol/index.ts';
import type { Claims } from './auth/verified-token.ts';
import { systemClock } from './clock.ts';
import { createDispatch } from './dispatch/dispatch.ts';
import { readListeners } from './dispatch/listener-table.ts';
import type { Listener, ListenerLog, ListenerSession } from './dispatch/listener.ts';
import type { TextListener } from './dispatch/text-listener.ts';
import { durabilityOf } from './publish/durability.ts';
import { deliveredOf, refuseTooLarge } from './publish/message.ts';

/** A frame as a client sends it. */
export interface TestFrame {
  readonly type: string;
  readonly content?: unknown;
}

export interface CallOptions {
  /** Who sends the frame. @default {tenant: 'default', userType: 'member', userId: '1'} */
  readonly from?: Partial<Identity>;
  /** Patterns of the topics that the sender's token allows. @default [] */
  readonly topics?: readonly string[];
  /** Patterns of the users and topics that the sender's token allows to watch. @default [] */
  readonly watch?: readonly string[];
  /** What `presence.of` tells of a user. @default - the user is offline, and was never seen */
  readonly presence?: (user: string) => Partial<UserPresence>;
  /** Patterns of the message types that the sender's token allows. @default - every type */
  readonly send?: readonly string[];
  /** The claims of the sender's token that the setting `claims` names, as text. @default - none */
  readonly claims?: Claims;
  /** The connection that the frame comes on. `false`: it comes by `POST /messages`. @default - opened a minute ago */
  readonly session?: Partial<ListenerSession> | false;
  /**
   * What `send` and `reply` of a message for now resolve to, such as `() => ({ delivered: 0 })` for a user who is away. To test a fault,
   * throw an error. @default - delivered to one session
   */
  readonly answer?: (message: SentMessage) => Partial<Delivered>;
  /** How many sessions `sessions.count` finds behind a target such as `type:agent`. @default - one */
  readonly online?: (target: string) => number;
}

/** A message that passed the checks of `send`, `sendText` or `reply`. It has a type and content, or text. */
export interface SentMessage {
  /** Such as `['user:member:42']`. */
  readonly to: readonly string[];
  readonly type?: string;
  readonly content?: unknown;
  /** What `sendText` sent. */
  readonly text?: string;
  readonly durable?: boolean;
  readonly ttlSeconds?: number;
  readonly messageId?: string;
  /** Epoch milliseconds. */
  readonly deliverAt?: number;
}

export interface LogLine {
  readonly level: keyof ListenerLog;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The answer to a frame, and all that its listener did. */
export interface ListenerCall {
  /** The content of the `ack`. `undefined`: the frame was refused, or it was bare text. */
  readonly ack: unknown;
  /** The answer of a text listener. `undefined`: there is none. */
  readonly text: string | undefined;
  /** Why the frame was refused. */
  readonly error:
    | { readonly code: ErrorCode; readonly message: string; readonly details: readonly ErrorDetail[] }
    | undefined;
  /** What `send` and `sendText` sent. */
  readonly sent: readonly SentMessage[];
  /** What `reply` sent. */
  readonly replies: readonly SentMessage[];
  readonly logs: readonly LogLine[];
}

const minuteMs = 60_000;

const user = z.object({ tenant: name, userType: name, userId: name });

/**
 * Gives a frame to the listener of its type, or bare text to the text listener that takes it. The checks, limits and answers are those of a stack. An error that is no
 * `Refusal` rejects the call, so that a test shows it. A client would get `internal`.
 */
export async function callListener(
  listeners: readonly (Listener | TextListener)[],
  given: TestFrame | string,
  {
    from,
    topics = [],
    watch = [],
    send,
    claims = {},
    session,
    presence = () => ({}),
    answer = () => ({}),
    online = () => 1,
  }: CallOptions = {},
): Promise<ListenerCall> {
  const sent: SentMessage[] = [];
  const replies: SentMessage[] = [];
  const logs: LogLine[] = [];

  function record(
    list: SentMessage[],
    request: PublishRequest,
    sender: Identity | undefined,
  ): Promise<Delivered> {
    const number = sent.length + replies.length + 1;
    const messageId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const durability = durabilityOf(request, []);
    refuseTooLarge({ request, messageId, from: sender, durability });
    const message = sentMessage(request);
    list.push(message);
    const delivered = deliveredOf(
      { messageId, slot: durability && { offset: number, epoch: 'test', takenAt: 0 } },
      { delivered: 1, gone: 0, failed: 0 },
    );
    return Promise.resolve({ ...delivered, ...answer(message) });
  }
  const line = (level: LogLine['level']) => (message: string, fields: Record<string, unknown>) => {
    logs.push({ level, message, fields });
  };

  const dispatch = createDispatch({
    listeners: readListeners({ listeners }),
    publish: async (request, sender) => publishAnswer(request, await record(sent, request, sender)),
    reply: async (request, { identity }) => record(replies, request, identity),
    presence: {
      ofUsers: (_tenant, users) =>
        Promise.resolve(users.map((user) => ({ ...offline, user, ...presence(user) }))),
    },
    countSessions: (_tenant, target) => Promise.resolve(online(formatTarget(target))),
    logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
  });
  const identity = { tenant: 'default', userType: 'member', userId: '1', ...from };
  parseWith(user, identity, 'from', 'bad_request');
  const frame = typeof given === 'string' ? given : JSON.stringify({ ...given, id: '1' });
  if (session !== false && Buffer.byteLength(frame) > maxUplinkFrameBytes)
    throw new Error(
      'A connection takes no frame above 32 KB. Clients send it by POST /messages: session: false.',
    );
  const { text, refusal, fault, isBare, ackNotRequested } = await dispatch(frame, {
    identity,
    rights: { topics, send, watch },
    claims,
    session: session === false ? undefined : sessionOf(session),
  });
  if (fault) throw fault.cause;
  const error = refusal && { code: refusal.code, message: refusal.message, details: refusal.details };
  const done = { error, sent, replies, logs };
  if (isBare) return { ack: undefined, text: ackNotRequested ? undefined : text, ...done };
  const { content: ack } = z.parse(answerFrame, JSON.parse(text));
  return { ack: refusal ? undefined : ack, text: undefined, ...done };
}

function publishAnswer({ deliverAt }: PublishRequest, delivered: Delivered): PublishAnswer {
  const { messageId } = delivered;
  return deliverAt === undefined ? delivered : { messageId, status: 'scheduled', deliverAt };
}
const offline = { online: false, sessions: 0, lastSeenAt: null };

const answerFrame = z.object({ content: z.unknown() });

function sessionOf(differing: Partial<ListenerSession> = {}): ListenerSession {
  const now = systemClock.now();
  return {
    connectionId: 'test=',
    connectedAt: now - minuteMs,
    tokenExpiresAt: now + 60 * minuteMs,
    ...differing,
  };
}

/** The content is as receivers get it: it has been JSON. */
function sentMessage({
  to,
  type,
  content,
  text,
  durable,
  ttlSeconds,
  messageId,
  deliverAt,
}: PublishRequest): SentMessage {
  const later = deliverAt !== undefined && { deliverAt };
  if (text !== undefined) return { to: to.map(formatTarget), text, ...later };
  const { content: received } = z.parse(answerFrame, JSON.parse(JSON.stringify({ content })));
  return {
    to: to.map(formatTarget),
    type,
    content: received,
    ...(durable !== undefined && { durable }),
    ...(ttlSeconds !== undefined && { ttlSeconds }),
    ...(messageId !== undefined && { messageId }),
    ...(deliverAt !== undefined && { deliverAt }),
  };
}
