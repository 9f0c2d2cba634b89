import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';
import type { WebSocketDefinition } from './definition.ts';
import {
  disconnectEvent,
  requestContext,
  type AuthorizerContext,
  type ConnectionFacts,
  type Ending,
} from './events.ts';

/** Calls `$disconnect` for a connection that has ended. API Gateway does not retry it, so a failure is only logged. */
export async function runDisconnect(
  gateway: Gateway,
  options: {
    readonly definition: WebSocketDefinition;
    readonly facts: ConnectionFacts;
    readonly authorizer: AuthorizerContext | undefined;
    readonly ending: Ending;
  },
): Promise<void> {
  const { definition, facts, authorizer, ending } = options;
  // A best-effort event: delivery is not guaranteed (apigateway-websocket-api-route-keys-connect-disconnect).
  if (gateway.faults.shouldInject('lostDisconnect')) return;
  const startedAt = performance.now();
  const { apiId, stage, routes, stageVariables } = definition;
  const route = routes.get('$disconnect');
  let failure: string | undefined;
  if (route) {
    const requestId = gateway.ids.next();
    const at = gateway.now();
    const occasion = { eventType: 'DISCONNECT', routeKey: '$disconnect', requestId, at, authorizer } as const;
    const context = requestContext(facts, occasion);
    const event = disconnectEvent(ending, facts.domainName, stageVariables, context);
    const sourceArn = executeApiArn(gateway.deployment, `${apiId}/${stage}/$disconnect`);
    const outcome = await callFunction(gateway.functions, route.integration, sourceArn, event);
    failure = failureOf(outcome, sourceArn);
  }
  gateway.log.request({
    what: `DISCONNECT ${stage} ${facts.connectionId}`,
    status: ending.code,
    ms: performance.now() - startedAt,
    ...(failure === undefined ? {} : { detail: failure }),
  });
}
