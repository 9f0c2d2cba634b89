import { randomBytes } from 'node:crypto';
import { createTickets, createVerifyHandshake, refuseTickets } from '../core/auth/tickets.ts';
import { systemClock as clock } from '../core/clock.ts';
import { authorizerContext } from './auth/authorizer-context.ts';
import { isOriginAllowed } from './auth/origins.ts';
import type { TokenVerdict } from '../core/auth/verified-token.ts';
import { createRevocations, withRevocations } from '../core/sessions/revocations.ts';
import { db } from './database.ts';
import { readEnvironment } from './environment.ts';
import { type AuthorizerEvent, header, type HttpAuthorizerEvent } from './events.ts';
import { log } from './logging/log.ts';
import { sampleWarnings } from './logging/sampled-warnings.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';

const environment = readEnvironment('authorize');
const verify = createTokenVerifier(environment);
const revocations = createRevocations({ db, table: environment.SESSIONS_TABLE, clock });
const verifyBearer = withRevocations(refuseTickets(verify), revocations);
const verifyHandshake = withRevocations(
  createVerifyHandshake(environment.CONNECT_WITH, {
    verify,
    tickets: createTickets({ db, table: environment.STATE_TABLE, clock, randomBytes }),
  }),
  revocations,
);
const warn = sampleWarnings((message, fields) => log.warn(message, fields), clock);
const origins = new Set(environment.ALLOWED_ORIGINS);

/**
 * The quota of WebSocket APIs for the result of an authorizer. A larger one would be a 500, and clients would try again.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */
const maxResultBytes = 8 * 1024;

/**
 * Authorizes a handshake by its query parameter (a token or a ticket), a request by its bearer token. A refusal becomes a
 * 403, a throw a 500.
 */
export async function handler(event: AuthorizerEvent | HttpAuthorizerEvent) {
  return 'routeArn' in event ? authorizeRequest(event) : authorizeHandshake(event);
}

/**
 * A revoked token is refused before `connect` writes a row for it. Otherwise its tries would count as sessions of the
 * user, and end real ones. `connect` looks again, for a revocation that comes meanwhile.
 */
async function authorizeHandshake(event: AuthorizerEvent) {
  const given = event.queryStringParameters?.[environment.TOKENS.parameter];
  const verdict = await judge(event.headers, given, verifyHandshake);
  if (!verdict.ok) return refuse(event, verdict.reason);
  const { tenant, userType, userId } = verdict.token.identity;
  const result = {
    principalId: `${tenant}/${userType}/${userId}`,
    policyDocument: policy('Allow', event.methodArn),
    context: authorizerContext(verdict.token),
  };
  if (Buffer.byteLength(JSON.stringify(result)) <= maxResultBytes) return result;
  return refuse(event, 'the rights and claims take over 8 KB in the result of the authorizer');
}

function refuse({ requestContext: { connectionId }, methodArn }: AuthorizerEvent, reason: string) {
  warn('handshake refused', { connectionId, reason });
  return { principalId: 'anonymous', policyDocument: policy('Deny', methodArn) };
}

/** The simple response of payload format 2.0 (http-api-lambda-authorizer). */
async function authorizeRequest({ headers, routeKey }: HttpAuthorizerEvent) {
  const [, token] = /^Bearer +(\S+)$/i.exec(header(headers, 'authorization') ?? '') ?? [];
  const verdict = await judge(headers, token, verifyBearer);
  if (verdict.ok) return { isAuthorized: true, context: authorizerContext(verdict.token) };
  warn('request refused', { routeKey, reason: verdict.reason });
  return { isAuthorized: false };
}

async function judge(
  headers: AuthorizerEvent['headers'],
  token: string | undefined,
  verifyFrom: (token: string, origin: string | undefined) => Promise<TokenVerdict>,
): Promise<TokenVerdict> {
  const origin = header(headers, 'origin');
  if (!isOriginAllowed(origin, origins)) return { ok: false, reason: 'origin is not allowed' };
  return verifyFrom(token ?? '', origin);
}

function policy(Effect: 'Allow' | 'Deny', Resource: string) {
  return { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] };
}
