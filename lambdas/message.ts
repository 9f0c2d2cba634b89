import { connectionOf } from './authorizer-context.ts';
import { createReceive } from '../core/dispatch/receive.ts';
import { errorFrame, readClientFrame, Refusal } from '../protocol/index.ts';
import { readEnvironment } from './environment.ts';
import type { AuthorizedHttpEvent, MessageEvent } from './events.ts';
import { buildDispatch } from './dispatcher.ts';
import { answerOf, httpResponse } from './http-answer.ts';
import { noQuery, queryOf, textBody } from './http-request.ts';
import { log } from './log.ts';
import { buildSender } from './sender.ts';

const environment = readEnvironment('message');
const parts = buildSender(environment);
const dispatch = buildDispatch(parts, environment);
const receive = createReceive({ ...parts, dispatch, now: Date.now });

/** Takes a frame: from a connection, or by `POST /messages`. */
export async function handler(event: MessageEvent | AuthorizedHttpEvent) {
  return 'routeKey' in event ? takeRequest(event) : takeMessage(event);
}

/** The body goes back through the route response, which costs no call of the callback API. */
async function takeMessage({ body, requestContext }: MessageEvent) {
  const { connectionId, connectedAt, authorizer } = requestContext;
  const { identity, ...token } = connectionOf(authorizer);
  try {
    const answer = await receive(body ?? '', identity, { connectionId, connectedAt, ...token });
    return { statusCode: 200, ...(answer !== undefined && { body: answer }) };
  } catch (cause) {
    log.error('message failed', { connectionId, cause });
    const error = new Refusal('internal', 'The message failed on our side; try again.');
    const { id, requestType } = readAddress(body ?? '');
    return { statusCode: 500, body: errorFrame(error, id, requestType) };
  }
}

/** Which frame it was, as far as that can be read. */
function readAddress(text: string): {
  readonly id?: string | undefined;
  readonly requestType?: string | undefined;
} {
  const reading = readClientFrame(text);
  return reading.ok ? { id: reading.frame.id, requestType: reading.frame.type } : reading;
}

async function takeRequest(event: AuthorizedHttpEvent) {
  const { identity } = connectionOf(event.requestContext.authorizer.lambda);
  return httpResponse(
    await answerOf(async () => {
      queryOf(event, noQuery);
      const { text, refusal } = await dispatch(textBody(event), { identity, session: undefined });
      if (refusal) throw refusal;
      return { status: 200, body: JSON.parse(text) };
    }),
  );
}
