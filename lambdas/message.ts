import { connectionOf } from '../core/authorizer-context.ts';
import { createListChannel } from '../core/channel-listing.ts';
import { createDispatch } from '../core/dispatch.ts';
import { createInboxListeners } from '../core/inbox-listeners.ts';
import { listeners } from '../core/listeners/index.ts';
import { createReceive } from '../core/receive.ts';
import { createRecover } from '../core/recover.ts';
import { createRecoverListener } from '../core/recover-listener.ts';
import { createTopicListeners } from '../core/topic-listeners.ts';
import { errorFrame, Refusal } from '../protocol/index.ts';
import { readEnvironment } from './environment.ts';
import type { MessageEvent } from './events.ts';
import { log } from './log.ts';
import { buildSender } from './sender.ts';

const parts = buildSender(readEnvironment('message'));
const { publish, reply, closeSession, subscriptions } = parts;
const recover = createRecover({ ...parts, now: Date.now });
const allListeners = [
  ...createTopicListeners(subscriptions, recover),
  createRecoverListener(recover),
  ...createInboxListeners({ ...parts, listChannel: createListChannel(parts) }),
  ...listeners,
];
const dispatch = createDispatch({ listeners: allListeners, publish, reply, log });
const receive = createReceive({ dispatch, closeSession, now: Date.now });

/** Takes a frame; the body goes back through the route response, which costs no call of the callback API. */
export async function handler({ body, requestContext }: MessageEvent) {
  const { connectionId, connectedAt, authorizer } = requestContext;
  try {
    const answer = await receive(body ?? '', { ...connectionOf(authorizer), connectionId, connectedAt });
    return { statusCode: 200, ...(answer !== undefined && { body: answer }) };
  } catch (cause) {
    log.error('message failed', { connectionId, cause });
    const error = new Refusal('internal', 'The message failed on our side; try again.');
    return { statusCode: 500, body: errorFrame(error, undefined, undefined) };
  }
}
