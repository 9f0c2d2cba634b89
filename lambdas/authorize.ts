import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { contextOf } from '../core/authorizer-context.ts';
import { isOriginAllowed, originsOf } from '../core/origins.ts';
import { createTokenSecret } from '../core/token-secret.ts';
import { readTokenClaims, type TokenVerdict, verifyToken } from '../core/tokens.ts';
import { readEnvironment } from './environment.ts';
import { type AuthorizerEvent, header } from './events.ts';
import { log } from './log.ts';

const environment = readEnvironment('authorize');
const claims = readTokenClaims(environment.TOKEN_CLAIMS);
const origins = originsOf(environment.ALLOWED_ORIGINS);
const secret = createTokenSecret(new SecretsManagerClient({}), environment.TOKEN_SECRET_ARN);

/** Decides a handshake. A refusal is a Deny policy (403); a throw is our own fault (500). */
export async function handler(event: AuthorizerEvent) {
  const verdict = await judge(event);
  if (!verdict.ok) {
    log.warn('handshake refused', {
      connectionId: event.requestContext.connectionId,
      reason: verdict.reason,
    });
    return { principalId: 'anonymous', policyDocument: policy('Deny', event.methodArn) };
  }
  const { tenant, userType, userId } = verdict.token.identity;
  return {
    principalId: `${tenant}/${userType}/${userId}`,
    policyDocument: policy('Allow', event.methodArn),
    context: contextOf(verdict.token),
  };
}

async function judge({ headers, queryStringParameters }: AuthorizerEvent): Promise<TokenVerdict> {
  if (!isOriginAllowed(header(headers, 'origin'), origins))
    return { ok: false, reason: 'origin is not allowed' };
  return verifyToken(queryStringParameters?.token ?? '', { secret: await secret(), claims, now: Date.now });
}

function policy(Effect: 'Allow' | 'Deny', Resource: string) {
  return { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] };
}
