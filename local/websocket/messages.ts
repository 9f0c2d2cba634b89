import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { callFunction, failureOf, type CallOutcome } from '../gateway/integration.ts';
import { isRecord } from '../json.ts';
import { requestContext } from './context.ts';
import { maxMessageBytes, type WebSocketConnection } from './connection.ts';
import type { WebSocketDefinition } from './definition.ts';
import { messageEvent } from './message-event.ts';
import { selectRouteKey } from './selection.ts';

/**
 * Brings one message to its route's function, and the answer back where the route returns one. Each message is an
 * invocation of its own: nothing waits for the one before, and answers come in any order
 * (apigateway-websocket-api-routes-integrations).
 */
export async function handleMessage(
  gateway: Gateway,
  definition: WebSocketDefinition,
  connection: WebSocketConnection,
  text: string,
): Promise<void> {
  const startedAt = performance.now();
  const { facts, authorizer } = connection;
  const requestId = gateway.ids.next();
  const selected = selectRouteKey(definition.routeSelectionExpression, text);
  // `$connect` and `$disconnect` belong to the platform: a client that names one goes to `$default`.
  const custom = selected.startsWith('$') ? undefined : definition.routes.get(selected);
  const route = custom ?? definition.routes.get('$default');
  const report = (status: string, detail?: string): void => {
    const what = `MESSAGE ${route?.key ?? 'no route'} ${facts.connectionId}`;
    const ms = performance.now() - startedAt;
    gateway.log.request({ what, status, ms, ...(detail === undefined ? {} : { detail }) });
  };
  const complain = (message: string): void => {
    connection.send(JSON.stringify({ message, connectionId: facts.connectionId, requestId }));
  };
  if (!route) {
    complain('Forbidden');
    report('refused', 'no route has this key, and there is no $default');
    return;
  }

  const at = gateway.now();
  const context = requestContext(facts, {
    eventType: 'MESSAGE',
    routeKey: route.key,
    requestId,
    at,
    authorizer,
  });
  const event = messageEvent(text, gateway.ids.next(), definition.stageVariables, context);
  const sourceArn = executeApiArn(gateway.deployment, `${definition.apiId}/${definition.stage}/${route.key}`);
  const outcome = await callFunction(gateway.functions, route.integration, sourceArn, event);
  if (outcome.status === 'ok') {
    const answer = route.returnsResponse ? bodyOf(outcome.payload) : undefined;
    if (answer !== undefined && Buffer.byteLength(answer) > maxMessageBytes) {
      complain('Internal server error');
      report('failed', 'the function returned a body above 128 KB, the limit of a message');
      return;
    }
    if (answer !== undefined) connection.send(answer);
    report('ok');
  } else {
    complain(outcome.status === 'timeout' ? 'Endpoint request timed out' : 'Internal server error');
    report(nameOf(outcome), failureOf(outcome, sourceArn));
  }
}

/** Of a proxy integration the client gets the `body` alone; without one there is nothing to send. */
function bodyOf(payload: unknown): string | undefined {
  return isRecord(payload) && typeof payload.body === 'string' && payload.body !== ''
    ? payload.body
    : undefined;
}

function nameOf(outcome: CallOutcome): string {
  return outcome.status === 'error' ? 'failed' : outcome.status;
}
