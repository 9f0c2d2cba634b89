import { systemClock } from '../core/clock.ts';
import { scopeOf } from '../core/auth/service-tenants.ts';
import { createSwitchboard } from '../core/switchboard.ts';
import { maxPublishBodyBytes, readPublishRequest } from '../protocol/index.ts';
import { readEnvironment } from './environment.ts';
import type { HttpEvent } from './events.ts';
import { callerArn, httpResponse, jsonBody, noQuery, queryOf, resultOf } from './http/http.ts';
import { createPublisher } from './publisher.ts';
import { createResources } from './resources.ts';

const environment = readEnvironment('publish');
const resources = createResources(environment);
const publish = createPublisher(resources, createSwitchboard(resources, systemClock), environment);

/**
 * `POST /publish`. A direct invocation with the same body gets the body of the answer. It does not say who invokes, so it
 * is refused if services have tenants.
 */
export async function handler(event: unknown) {
  const isHttp = isHttpEvent(event);
  const result = await resultOf(async () => {
    const scope = scopeOf(isHttp ? callerArn(event) : undefined, environment.SERVICE_TENANTS);
    if (isHttp) queryOf(event, noQuery);
    const request = readPublishRequest(isHttp ? jsonBody(event, maxPublishBodyBytes) : event, scope.tenantOf);
    const body = await publish(request);
    return { status: body.status === 'delivered' ? 200 : 202, body };
  });
  return isHttp ? httpResponse(result) : result.body;
}

function isHttpEvent(event: unknown): event is HttpEvent {
  return typeof event === 'object' && event !== null && 'requestContext' in event && 'routeKey' in event;
}
