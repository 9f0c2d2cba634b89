import { systemClock } from '../core/clock.ts';
import { createCancel } from '../core/schedule/cancel.ts';
import { createScheduling } from '../core/schedule/scheduling.ts';
import { createCheckQueue } from '../core/sessions/check-queue.ts';
import { createSwitchboard } from '../core/switchboard.ts';
import { Refusal } from '../protocol/index.ts';
import { readEndpoint, readEnvironment, readRegion } from './environment.ts';
import type { HttpEvent } from './events.ts';
import { httpResponse, resultOf } from './http/http.ts';
import { createResources } from './resources.ts';
import { createRoutes } from './http/routes.ts';

const environment = readEnvironment('api');
const resources = createResources(environment);
const checks = createCheckQueue({
  url: environment.CHECK_QUEUE_URL,
  region: readRegion(),
  endpoint: readEndpoint(),
});
const switchboard = createSwitchboard({ ...resources, checks }, systemClock);
const cancel = createCancel(createScheduling(resources, systemClock));
const routes = new Map(Object.entries(createRoutes({ ...switchboard, cancel }, environment.SERVICE_TENANTS)));

/** Answers the routes that services call, except `POST /publish`. */
export async function handler(event: HttpEvent) {
  const result = await resultOf(async () => {
    const route = routes.get(event.routeKey);
    if (!route) throw new Refusal('not_found', `There is no route ${event.routeKey}.`);
    return { status: 200, body: await route(event) };
  });
  return httpResponse(result);
}
