import { evaluatePolicy } from '../gateway/authorizer-policy.ts';
import { executeApiArn, headerOf, queryOf, type Gateway, type GatewayRequest } from '../gateway/gateway.ts';
import type { HttpAuthorizer } from './definition.ts';
import { requestParts, type HttpEventFacts } from './event.ts';
import { readIdentity } from '../gateway/identity-source.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';
import { isRecord } from '../json.ts';

export type HttpAuthorization =
  /** `authorizer` is what the event shows under `requestContext.authorizer`. */
  | { readonly allowed: true; readonly authorizer?: unknown }
  | { readonly allowed: false; readonly status: 401 | 403 | 500; readonly why: string };

/** Runs Lambda authorizers of HTTP APIs (http-api-lambda-authorizer) and keeps their answers as long as the template says. */
export class HttpAuthorizers {
  readonly #gateway: Gateway;
  readonly #answers = new Map<string, { readonly result: unknown; readonly expiresAt: number }>();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  async authorize(
    authorizer: HttpAuthorizer,
    request: GatewayRequest,
    facts: HttpEventFacts,
    routeArn: string,
  ): Promise<HttpAuthorization> {
    const parts = requestParts(request, facts);
    const identitySource = readIdentity(authorizer.identitySources, {
      header: (name) => headerOf(request, name.toLowerCase()),
      query: (name) => new URLSearchParams(queryOf(request.url)).get(name) ?? undefined,
      context: isRecord(parts.requestContext) ? parts.requestContext : {},
      stageVariables: facts.stageVariables,
    });
    // "Missing, null, or empty": 401 without the function being called.
    if (!identitySource)
      return { allowed: false, status: 401, why: 'an identity source is missing or empty' };

    // The identity sources are the whole cache key: routes that need answers of their own have to name `$context.routeKey`.
    const cacheKey = JSON.stringify([authorizer.id, ...identitySource]);
    const now = this.#gateway.clock.now();
    const cached = this.#answers.get(cacheKey);
    if (cached && cached.expiresAt > now) return judge(authorizer, cached.result, routeArn);

    const sourceArn = executeApiArn(this.#gateway.deployment, `${facts.apiId}/authorizers/${authorizer.id}`);
    const event = { ...parts, type: 'REQUEST', routeArn, identitySource };
    const outcome = await callFunction(this.#gateway.functions, authorizer.integration, sourceArn, event);
    if (outcome.status === 'error' && outcome.errorMessage === 'Unauthorized') {
      return { allowed: false, status: 401, why: 'the authorizer threw Unauthorized' };
    }
    if (outcome.status !== 'ok') {
      return { allowed: false, status: 500, why: `authorizer: ${failureOf(outcome, sourceArn) ?? ''}` };
    }
    if (authorizer.cacheSeconds > 0 && identitySource.length > 0) {
      this.#remember(cacheKey, outcome.payload, now + authorizer.cacheSeconds * 1000);
    }
    return judge(authorizer, outcome.payload, routeArn);
  }

  #remember(key: string, result: unknown, expiresAt: number): void {
    // A laptop has few callers; forgetting them all now and then costs one call each.
    if (this.#answers.size >= 1000) this.#answers.clear();
    this.#answers.set(key, { result, expiresAt });
  }
}

/** The simple form `{isAuthorized, context}`, or an IAM policy, as the authorizer is set up. */
function judge(authorizer: HttpAuthorizer, result: unknown, routeArn: string): HttpAuthorization {
  const malformed = {
    allowed: false,
    status: 500,
    why: 'the authorizer returned a malformed result',
  } as const;
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

const denied = { allowed: false, status: 403, why: 'the authorizer denied the request' } as const;
