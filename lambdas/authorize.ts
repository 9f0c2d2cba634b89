import { authorizerContext } from './auth/authorizer-context.ts';
import { isOriginAllowed } from './auth/origins.ts';
import type { TokenVerdict } from '../core/auth/verified-token.ts';
import { systemClock } from '../core/clock.ts';
import { readEnvironment } from './environment.ts';
import { type AuthorizerEvent, header, type HttpAuthorizerEvent } from './events.ts';
import { log } from './log.ts';
import { sampleWarnings } from './sampled-warnings.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';

const environment = readEnvironment('authorize');
const verify = createTokenVerifier(environment);
const warn = sampleWarnings((message, fields) => log.warn(message, fields), systemClock);
const origins = new Set(environment.ALLOWED_ORIGINS);

/** Authorizes a handshake by its `?token=`, a request by its bearer token. A refusal becomes a 403, a throw a 500. */
export async function handler(event: AuthorizerEvent | HttpAuthorizerEvent) {
  return 'routeArn' in event ? authorizeRequest(event) : authorizeHandshake(event);
}

async function authorizeHandshake(event: AuthorizerEvent) {
  const verdict = await judge(event.headers, event.queryStringParameters?.token);
  if (!verdict.ok) {
    const { connectionId } = event.requestContext;
    warn('handshake refused', { connectionId, reason: verdict.reason });
    return { principalId: 'anonymous', policyDocument: policy('Deny', event.methodArn) };
  }
  const { tenant, userType, userId } = verdict.token.identity;
  return {
    principalId: `${tenant}/${userType}/${userId}`,
    policyDocument: policy('Allow', event.methodArn),
    context: authorizerContext(verdict.token),
  };
}

/** The simple response of payload format 2.0 (http-api-lambda-authorizer). */
async function authorizeRequest({ headers, routeKey }: HttpAuthorizerEvent) {
  const [, token] = /^Bearer +(\S+)$/i.exec(header(headers, 'authorization') ?? '') ?? [];
  const verdict = await judge(headers, token);
  if (verdict.ok) return { isAuthorized: true, context: authorizerContext(verdict.token) };
  warn('request refused', { routeKey, reason: verdict.reason });
  return { isAuthorized: false };
}

async function judge(headers: AuthorizerEvent['headers'], token = ''): Promise<TokenVerdict> {
  if (!isOriginAllowed(header(headers, 'origin'), origins))
    return { ok: false, reason: 'origin is not allowed' };
  return verify(token);
}

function policy(Effect: 'Allow' | 'Deny', Resource: string) {
  return { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] };
}
