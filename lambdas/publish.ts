import { readPublishRequest } from '../protocol/index.ts';
import { readEnvironment } from './environment.ts';
import type { HttpEvent } from './events.ts';
import { answerOf, httpResponse } from './http-answer.ts';
import { jsonBody, noQuery, queryOf } from './http-request.ts';
import { buildSender } from './sender.ts';

const { publish } = buildSender(readEnvironment('publish'));

/** `POST /publish`, and the same body by direct invoke, which is answered with the bare answer. */
export async function handler(event: unknown) {
  const isHttp = isHttpEvent(event);
  const answer = await answerOf(async () => {
    if (isHttp) queryOf(event, noQuery);
    const request = readPublishRequest(isHttp ? jsonBody(event) : event);
    const body = await publish(request);
    return { status: body.status === 'accepted' ? 202 : 200, body };
  });
  return isHttp ? httpResponse(answer) : answer.body;
}

function isHttpEvent(event: unknown): event is HttpEvent {
  return typeof event === 'object' && event !== null && 'requestContext' in event && 'routeKey' in event;
}
