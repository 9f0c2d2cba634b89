import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { callFunction, failureOf, type CallOutcome } from '../gateway/integration.ts';
import { asRecord, asText, isRecord } from '../json.ts';
import { authorizeConnect } from './authorizer.ts';
import type { WebSocketDefinition } from './definition.ts';
import { connectEvent, requestContext, type AuthorizerContext, type ConnectionFacts } from './events.ts';
import { headerIn, type UpgradeRequest } from './upgrade-request.ts';

export type Handshake =
  | { readonly accepted: true; readonly authorizer?: AuthorizerContext; readonly subprotocol?: string }
  | { readonly accepted: false; readonly status: number; readonly why: string };

/**
 * Decides before the upgrade whether a connection may open: first the authorizer, then `$connect`. A refusal is an
 * HTTP status, never a close code (apigateway-websocket-api-route-keys-connect-disconnect).
 */
export async function shakeHands(
  gateway: Gateway,
  options: {
    readonly definition: WebSocketDefinition;
    readonly facts: ConnectionFacts;
    readonly upgrade: UpgradeRequest;
    readonly requestId: string;
  },
): Promise<Handshake> {
  const { definition, facts, upgrade, requestId } = options;
  const route = definition.routes.get('$connect');
  if (!route) return { accepted: true };
  const occasion = { eventType: 'CONNECT', routeKey: '$connect', requestId } as const;

  let authorizer: AuthorizerContext | undefined;
  if (route.authorizer) {
    const context = requestContext(facts, { ...occasion, at: gateway.now() });
    const { authorizer: rule } = route;
    const verdict = await authorizeConnect(gateway, { definition, authorizer: rule, upgrade, context });
    if (!verdict.allowed) return { accepted: false, status: verdict.status, why: verdict.why };
    authorizer = verdict.context;
  }

  const context = requestContext(facts, { ...occasion, at: gateway.now(), authorizer });
  const sourceArn = executeApiArn(gateway.deployment, `${definition.apiId}/${definition.stage}/$connect`);
  const event = connectEvent(upgrade, definition.stageVariables, context);
  const outcome = await callFunction(gateway.functions, route.integration, sourceArn, event);
  const answer = readAnswer(outcome, sourceArn);
  return answer.accepted && authorizer ? { ...answer, authorizer } : answer;
}

function readAnswer(outcome: CallOutcome, sourceArn: string): Handshake {
  const why = `$connect: ${failureOf(outcome, sourceArn) ?? 'the function returned no proxy response'}`;
  // 500: API Gateway could not call the function. 502: the function failed or returned another shape (services-apigateway).
  if (outcome.status === 'not-permitted' || outcome.status === 'throttled') {
    return { accepted: false, status: 500, why };
  }
  if (outcome.status === 'timeout') return { accepted: false, status: 504, why };
  if (outcome.status === 'error' || !isRecord(outcome.payload)) return { accepted: false, status: 502, why };
  const { statusCode, headers } = outcome.payload;
  if (!isStatus(statusCode)) return { accepted: false, status: 502, why };
  if (statusCode > 299) {
    return { accepted: false, status: statusCode, why: `$connect answered ${String(statusCode)}` };
  }
  const subprotocol = headerIn(textHeaders(headers), 'Sec-WebSocket-Protocol');
  return subprotocol === undefined ? { accepted: true } : { accepted: true, subprotocol };
}

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 200 && value <= 599;
}

function textHeaders(headers: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asRecord(headers)).map(([name, value]) => [name, asText(value) ?? '']),
  );
}
