import { createListChannel } from '../core/log/list.ts';
import { Refusal } from '../protocol/index.ts';
import { readEnvironment } from './environment.ts';
import type { HttpEvent } from './events.ts';
import { answerOf, httpResponse } from './http-answer.ts';
import { createRoutes } from './routes.ts';
import { buildCaller } from './caller.ts';

const parts = buildCaller(readEnvironment('api'));
const routes = createRoutes({ ...parts, listChannel: createListChannel(parts) });

/** The service routes of the HTTP API beside `POST /publish`. */
export async function handler(event: HttpEvent) {
  return httpResponse(
    await answerOf(async () => {
      const route = routes.get(event.routeKey);
      if (!route) throw new Refusal('not_found', `There is no route ${event.routeKey}.`);
      return { status: 200, body: await route(event) };
    }),
  );
}
