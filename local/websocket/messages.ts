import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { callFunction, failureOf, type CallOutcome } from '../gateway/integration.ts';
import { asRecord, isRecord, parseJson } from '../json.ts';
import { nameForLog } from '../log.ts';
import { maxMessageBytes, type WebSocketConnection } from './connection.ts';
import type { WebSocketDefinition } from './definition.ts';
import { messageEvent, requestContext } from './events.ts';
import { selectRouteKey } from './selection.ts';

/**
 * Brings one message to the function of its route, and the answer back if the route returns one. Each message is one
 * invocation. No message waits for another, so answers come in any order (apigateway-websocket-api-routes-integrations).
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
  // `$connect` and `$disconnect` belong to the platform. A message that names one goes to `$default`.
  const custom = selected.startsWith('$') ? undefined : definition.routes.get(selected);
  const route = custom ?? definition.routes.get('$default');
  const report = (status: string, detail?: string): void => {
    const what = `MESSAGE ${route?.key ?? 'no-route'} ${nameForLog(selected)} ${facts.connectionId}`;
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
  const occasion = { eventType: 'MESSAGE', routeKey: route.key, requestId, at, authorizer } as const;
  const context = requestContext(facts, occasion);
  const event = messageEvent(text, gateway.ids.next(), definition.stageVariables, context);
  const sourceArn = executeApiArn(gateway.deployment, `${definition.apiId}/${definition.stage}/${route.key}`);
  const { connectionId } = facts;
  const outcome = await callFunction(gateway.functions, route.integration, sourceArn, event, connectionId);
  if (outcome.status !== 'ok') {
    complain(outcome.status === 'timeout' ? 'Endpoint request timed out' : 'Internal server error');
    report(nameOf(outcome), failureOf(outcome, sourceArn));
    return;
  }
  const answer = route.returnsResponse ? bodyOf(outcome.payload) : undefined;
  if (answer !== undefined && Buffer.byteLength(answer) > maxMessageBytes) {
    complain('Internal server error');
    report('failed', 'the function returned a body above 128 KB, the limit of a message');
    return;
  }
  if (answer !== undefined) connection.send(answer);
  report(describeAnswer(answer));
}

/** A client gets only the `body` of a proxy response. Without one it gets nothing. */
function bodyOf(payload: unknown): string | undefined {
  return isRecord(payload) && typeof payload.body === 'string' && payload.body !== ''
    ? payload.body
    : undefined;
}

/** The answer in the log: its `type`, and its `code` or `content.code`, if it is JSON that has them; otherwise `ok`. */
function describeAnswer(answer: string | undefined): string {
  const { type, code, content } = asRecord(parseJson(answer ?? '')?.value);
  if (typeof type !== 'string') return 'ok';
  const reason = code ?? asRecord(content).code;
  return typeof reason === 'string' ? `${nameForLog(type)} ${nameForLog(reason)}` : nameForLog(type);
}

function nameOf(outcome: CallOutcome): string {
  return outcome.status === 'error' ? 'failed' : outcome.status;
}
