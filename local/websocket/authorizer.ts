import { evaluatePolicy, readIdentity } from '../gateway/authorizer.ts';
import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';
import { asRecord, isRecord } from '../json.ts';
import type { WebSocketAuthorizer, WebSocketDefinition } from './definition.ts';
import { authorizerEvent, type AuthorizerContext, type RequestContext } from './events.ts';
import { headerIn, type UpgradeRequest } from './upgrade-request.ts';

export type Authorization =
  | { readonly allowed: true; readonly context: AuthorizerContext }
  | { readonly allowed: false; readonly status: 401 | 403 | 500; readonly why: string };

/** "Lambda authorizer result size: 8 KB" (apigateway-execution-service-websocket-limits-table). */
const maxResultBytes = 8 * 1024;

/** Runs the Lambda authorizer of `$connect`. Its result decides the status of the handshake. */
export async function authorizeConnect(
  gateway: Gateway,
  options: {
    readonly definition: WebSocketDefinition;
    readonly authorizer: WebSocketAuthorizer;
    readonly upgrade: UpgradeRequest;
    readonly context: RequestContext;
  },
): Promise<Authorization> {
  const { definition, authorizer, upgrade, context } = options;
  const { apiId, stage, stageVariables } = definition;
  const identity = readIdentity(authorizer.identitySources, {
    header: (name) => headerIn(upgrade.headers, name),
    query: (name) => upgrade.query.queryStringParameters?.[name],
    context,
    stageVariables,
  });
  // "Missing, null or empty" is a 401 without a call of the function (apigateway-websocket-api-lambda-auth).
  if (!identity) return refused(401, 'an identity source of the authorizer is missing or empty');

  const methodArn = executeApiArn(gateway.deployment, `${apiId}/${stage}/$connect`);
  const sourceArn = executeApiArn(gateway.deployment, `${apiId}/authorizers/${authorizer.id}`);
  const startedAt = performance.now();
  const event = authorizerEvent(upgrade, methodArn, stageVariables, context);
  const outcome = await callFunction(gateway.functions, authorizer.integration, sourceArn, event);
  if (outcome.status === 'error' && outcome.errorMessage === 'Unauthorized') {
    return refused(401, 'the authorizer threw Unauthorized');
  }
  if (outcome.status !== 'ok') return refused(500, `authorizer: ${failureOf(outcome, sourceArn) ?? ''}`);
  return judge(outcome.payload, methodArn, Math.round(performance.now() - startedAt));
}

function judge(result: unknown, methodArn: string, integrationLatency: number): Authorization {
  if (!isRecord(result) || typeof result.principalId !== 'string') {
    return refused(500, 'the authorizer returned no principalId and policyDocument');
  }
  if (Buffer.byteLength(JSON.stringify(result)) > maxResultBytes) {
    return refused(500, 'the authorizer returned more than 8 KB');
  }
  const verdict = evaluatePolicy(result.policyDocument, methodArn);
  if (verdict === 'malformed') return refused(500, 'the authorizer returned a malformed policy document');
  if (verdict === 'deny') return refused(403, 'the authorizer denied the connection');
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(asRecord(result.context))) {
    // "String, Number or Boolean" only (api-gateway-lambda-authorizer-output). Events show all of them as text.
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      return refused(500, `the context value ${name} of the authorizer is not a string, number or boolean`);
    }
    values[name] = String(value);
  }
  return { allowed: true, context: { ...values, principalId: result.principalId, integrationLatency } };
}

function refused(status: 401 | 403 | 500, why: string): Authorization {
  return { allowed: false, status, why };
}
