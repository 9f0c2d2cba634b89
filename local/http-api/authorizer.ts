import { evaluatePolicy, readIdentity } from '../gateway/authorizer.ts';
import { executeApiArn, type Gateway } from '../gateway/gateway.ts';
import { headerOf, queryOf, type GatewayRequest } from '../gateway/request.ts';
import type { HttpAuthorizer } from './definition.ts';
import { requestParts, type HttpEventFacts } from './event.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';
import { isRecord } from '../json.ts';

export type HttpAuthorization =
  /** The event shows `authorizer` under `requestContext.authorizer`. */
  | { readonly allowed: true; readonly authorizer?: unknown }
  | { readonly allowed: false; readonly status: 401 | 403 | 500; readonly why: string };

/** Runs Lambda authorizers of HTTP APIs (http-api-lambda-authorizer). It caches their answers for the TTL of the template. */
export interface HttpAuthorizers {
  authorize(
    authorizer: HttpAuthorizer,
    request: GatewayRequest,
    facts: HttpEventFacts,
    routeArn: string,
  ): Promise<HttpAuthorization>;
}

export function createHttpAuthorizers({ clock, deployment, functions }: Gateway): HttpAuthorizers {
  const answers = new Map<string, { readonly result: unknown; readonly expiresAt: number }>();

  return {
    async authorize(authorizer, request, facts, routeArn) {
      const parts = requestParts(request, facts);
      const identitySource = readIdentity(authorizer.identitySources, {
        header: (name) => headerOf(request, name.toLowerCase()),
        query: (name) => new URLSearchParams(queryOf(request.url)).get(name) ?? undefined,
        context: isRecord(parts.requestContext) ? parts.requestContext : {},
        stageVariables: facts.stageVariables,
      });
      // "Missing, null, or empty": 401 without a call of the function.
      if (!identitySource) return refused(401, 'an identity source is missing or empty');

      // The identity sources are the whole cache key. A route that needs its own answer names `$context.routeKey`.
      const cacheKey = JSON.stringify([authorizer.id, ...identitySource]);
      const now = clock.now();
      const cached = answers.get(cacheKey);
      if (cached && cached.expiresAt > now) return judge(authorizer, cached.result, routeArn);

      const sourceArn = executeApiArn(deployment, `${facts.apiId}/authorizers/${authorizer.id}`);
      const event = { ...parts, type: 'REQUEST', routeArn, identitySource };
      const outcome = await callFunction(functions, authorizer.integration, sourceArn, event);
      if (outcome.status === 'error' && outcome.errorMessage === 'Unauthorized') {
        return refused(401, 'the authorizer threw Unauthorized');
      }
      if (outcome.status !== 'ok') {
        return refused(500, `authorizer: ${failureOf(outcome, sourceArn) ?? ''}`);
      }
      if (authorizer.cacheSeconds > 0 && identitySource.length > 0) {
        remember(cacheKey, outcome.payload, now + authorizer.cacheSeconds * 1000);
      }
      return judge(authorizer, outcome.payload, routeArn);
    },
  };

  function remember(key: string, result: unknown, expiresAt: number): void {
    // A laptop has few callers. To clear the cache costs one call for each.
    if (answers.size >= 1000) answers.clear();
    answers.set(key, { result, expiresAt });
  }
}

/** Reads `{isAuthorized, context}` or an IAM policy, whichever the template chose. */
function judge(authorizer: HttpAuthorizer, result: unknown, routeArn: string): HttpAuthorization {
  const malformed = refused(500, 'the authorizer returned a malformed result');
  const denied = refused(403, 'the authorizer denied the request');
  if (!isRecord(result)) return malformed;
  if (authorizer.simpleResponses) {
    if (typeof result.isAuthorized !== 'boolean') return malformed;
    if (!result.isAuthorized) return denied;
  } else {
    const verdict = evaluatePolicy(result.policyDocument, routeArn);
    if (verdict === 'malformed' || typeof result.principalId !== 'string') return malformed;
    if (verdict === 'deny') return denied;
  }
  return { allowed: true, authorizer: { lambda: result.context ?? null } };
}

function refused(status: 401 | 403 | 500, why: string): HttpAuthorization {
  return { allowed: false, status, why };
}
