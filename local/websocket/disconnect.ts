import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';
import { requestContext, type AuthorizerContext, type ConnectionFacts } from './context.ts';
import type { WebSocketDefinition } from './definition.ts';
import { disconnectEvent, type Ending } from './disconnect-event.ts';

/** Tells `$disconnect` that a connection is over. API Gateway does not retry it, so a failure is only logged. */
export async function runDisconnect(
  gateway: Gateway,
  definition: WebSocketDefinition,
  facts: ConnectionFacts,
  authorizer: AuthorizerContext | undefined,
  ending: Ending,
): Promise<void> {
  // A best-effort event: delivery is not guaranteed (apigateway-websocket-api-route-keys-connect-disconnect).
  if (gateway.faults.strikes('lostDisconnect')) return;
  const startedAt = performance.now();
  const { apiId, stage, routes, stageVariables } = definition;
  const route = routes.get('$disconnect');
  let failure: string | undefined;
  if (route) {
    const requestId = gateway.ids.next();
    const at = gateway.now();
    const occasion = { eventType: 'DISCONNECT', routeKey: '$disconnect', requestId, at, authorizer } as const;
    const event = disconnectEvent(ending, stageVariables, requestContext(facts, occasion));
    const sourceArn = executeApiArn(gateway.deployment, `${apiId}/${stage}/$disconnect`);
    const outcome = await callFunction(gateway.functions, route.integration, sourceArn, event);
    failure = failureOf(outcome, sourceArn);
  }
  const what = `DISCONNECT ${stage} ${facts.connectionId}`;
  const ms = performance.now() - startedAt;
  gateway.log.request({
    what,
    status: ending.code,
    ms,
    ...(failure === undefined ? {} : { detail: failure }),
  });
}
