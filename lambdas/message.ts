import { SQSClient } from '@aws-sdk/client-sqs';
import { refuseTickets } from '../core/auth/tickets.ts';
import { systemClock } from '../core/clock.ts';
import { createDispatch, type Dispatch } from '../core/dispatch/dispatch.ts';
import { readListeners } from '../core/dispatch/listener-table.ts';
import { createProtocolListeners } from '../core/dispatch/protocol-listeners.ts';
import { createReceive, type Receive } from '../core/dispatch/receive.ts';
import { createLimit } from '../core/limits/limit.ts';
import { createPresence } from '../core/presence/presence.ts';
import { createPresenceQueue } from '../core/presence/queue.ts';
import { createReply } from '../core/publish/reply.ts';
import { withRevocations } from '../core/sessions/revocations.ts';
import { createSwitchboard } from '../core/switchboard.ts';
import { createFindTarget } from '../core/targets/find-target.ts';
import { maxPostedFrameBytes } from '../protocol/index.ts';
import { readContext } from './auth/authorizer-context.ts';
import { readEnvironment } from './environment.ts';
import type { AuthorizedHttpEvent, MessageEvent } from './events.ts';
import {
  errorResult,
  httpResponse,
  jsonResponse,
  noQuery,
  queryOf,
  textBody,
  textResponse,
} from './http/http.ts';
import { log } from './logging/log.ts';
import { createPublisher } from './publisher.ts';
import { createResources } from './resources.ts';
import { sampleWarnings } from './logging/sampled-warnings.ts';
import { sendParts } from './targets.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';

const environment = readEnvironment('message');
const resources = createResources(environment);
const switchboard = createSwitchboard(resources, systemClock);
const publish = createPublisher(resources, switchboard, environment);
const { PRESENCE } = environment;
const presence =
  PRESENCE &&
  createPresence({
    ...switchboard,
    publish,
    queue: createPresenceQueue(new SQSClient({}), PRESENCE.queueUrl),
    graceMs: PRESENCE.graceSeconds * 1000,
  });
const protocolListeners = createProtocolListeners({
  ...switchboard,
  publish,
  watches: presence?.watches,
  verify: withRevocations(refuseTickets(createTokenVerifier(environment)), switchboard.revocations),
  logger: { warn: sampleWarnings((message, fields) => log.warn(message, fields), systemClock) },
});
const limit = createLimit({
  db: resources.db,
  table: environment.STATE_TABLE,
  clock: systemClock,
  connectionRate: environment.CONNECTION_RATE,
  userRate: environment.USER_RATE,
});

/**
 * Takes a frame from a connection or by `POST /messages`. `modules` are the default exports of the modules that the
 * stack's owner named in `listeners`, by file. The stack's bundle gives them.
 */
export function createHandler(modules: Readonly<Record<string, unknown>>) {
  const dispatch = createDispatch({
    ...switchboard,
    publish,
    reply: createReply(switchboard),
    limit,
    logger: log,
    listeners: [...protocolListeners, ...readListeners(modules)],
    findTarget: createFindTarget(environment.TARGETS, sendParts),
  });
  const receive = createReceive({ ...switchboard, dispatch });
  return (event: MessageEvent | AuthorizedHttpEvent) =>
    'routeKey' in event ? takeRequest(event, dispatch) : takeMessage(event, receive);
}

/** The answer goes back through the route response, which costs no call of the callback API. */
async function takeMessage({ body, requestContext }: MessageEvent, receive: Receive) {
  const { connectionId, connectedAt, authorizer } = requestContext;
  const { expiresAt, ...user } = readContext(authorizer);
  const session = { connectionId, connectedAt, tokenExpiresAt: expiresAt };
  const answer = await receive(body ?? '', { ...user, session });
  // Always 200: an error frame is an answer, and API Gateway must send it.
  return { statusCode: 200, ...(answer && { body: answer.text }) };
}

async function takeRequest(event: AuthorizedHttpEvent, dispatch: Dispatch) {
  const user = readContext(event.requestContext.authorizer.lambda);
  try {
    queryOf(event, noQuery);
    const body = textBody(event, maxPostedFrameBytes);
    const { text, refusal, isBare } = await dispatch(body, { ...user, session: undefined });
    if (refusal) return httpResponse(errorResult(refusal));
    return isBare ? textResponse(text) : jsonResponse(200, text);
  } catch (cause) {
    return httpResponse(errorResult(cause));
  }
}
