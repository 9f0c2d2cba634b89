import { domainNameOf, executeApiArn, type Gateway } from '../gateway/gateway.ts';
import type { GatewayRequest } from '../gateway/request.ts';
import { createHttpAuthorizers, type HttpAuthorization } from './authorizer.ts';
import { isPreflight, preflightHeaders, withCors } from './cors.ts';
import type { HttpApiDefinition, HttpRoute } from './definition.ts';
import { proxyEvent, type HttpEventFacts } from './event.ts';
import { message, readProxyResponse, type HttpAnswer } from './response.ts';
import { matchRoute, type RouteMatch } from './routes.ts';
import { authorize } from '../iam/authorize.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';

/** An answer. `detail` tells the log why a request failed. */
export type Explained = HttpAnswer & { readonly detail?: string | undefined };

/** "Payload size: 10 MB" (http-api-quotas). */
export const maxRequestBytes = 10 * 1024 * 1024;
/** "6 MB for each request and response, synchronous" (gettingstarted-limits of Lambda). The whole event counts. */
const maxEventBytes = 6 * 1024 * 1024;
/** Requests are metered in 512 KB increments (https://aws.amazon.com/api-gateway/pricing/). */
const meteredBytes = 512 * 1024;

/** One stage of an HTTP API. */
export interface HttpApi {
  readonly definition: HttpApiDefinition;
  handle(request: GatewayRequest): Promise<Explained>;
  /** Whether a route other than `$default` matches. `$default` matches every request. */
  hasRouteFor(method: string, path: string): boolean;
  /** Whether the route that matches is one of these, and IAM authorises it. */
  hasIamRouteFor(method: string, path: string): boolean;
}

export function createHttpApi(gateway: Gateway, definition: HttpApiDefinition): HttpApi {
  const { deployment, functions, ids, keys, meter, now } = gateway;
  const { apiId, cors, routes, stage, stageVariables } = definition;
  const authorizers = createHttpAuthorizers(gateway);

  return {
    definition,
    async handle(request) {
      meter.count('httpApi.requests', Math.max(1, Math.ceil(request.body.length / meteredBytes)));
      const requestId = ids.next();
      if (cors && isPreflight(request)) {
        const headers = { ...preflightHeaders(cors, request), 'apigw-requestid': requestId };
        return { status: 204, headers, cookies: [], body: '' };
      }
      const answer = await answerRoute(request, requestId);
      const headers = cors ? withCors(cors, request, answer.headers) : answer.headers;
      return { ...answer, headers: { ...headers, 'apigw-requestid': requestId } };
    },
    hasRouteFor: (method, path) => match(method, path)?.route.pattern.kind === 'path',
    hasIamRouteFor(method, path) {
      const route = match(method, path)?.route;
      return route?.pattern.kind === 'path' && route.authorization === 'AWS_IAM';
    },
  };

  async function answerRoute(request: GatewayRequest, requestId: string): Promise<Explained> {
    const found = match(request.method, request.path);
    if (!found) return message(404, 'Not Found');
    if (request.body.length > maxRequestBytes) return message(413, 'Request Entity Too Large');
    const { route, pathParameters } = found;
    const at = now();
    const facts: HttpEventFacts = {
      accountId: deployment.accountId,
      apiId,
      stage,
      domainName: domainNameOf(deployment, apiId),
      routeKey: route.key,
      requestId,
      at,
      traceId: ids.trace(at),
      pathParameters,
      stageVariables,
    };
    const authorization = await authorizeRoute(route, request, facts);
    if (!authorization.allowed) return { ...refusal(authorization.status), detail: authorization.why };

    const event = proxyEvent(request, facts, authorization.authorizer);
    if (Buffer.byteLength(JSON.stringify(event)) > maxEventBytes) {
      return message(413, 'Request Entity Too Large');
    }
    const sourceArn = executeApiArn(deployment, `${apiId}/${stage}/${permissionPath(route)}`);
    const outcome = await callFunction(functions, route.integration, sourceArn, event);
    if (outcome.status === 'timeout' || outcome.status === 'throttled') {
      return { ...message(503, 'Service Unavailable'), detail: failureOf(outcome, sourceArn) };
    }
    if (outcome.status !== 'ok') return { ...internalError(), detail: failureOf(outcome, sourceArn) };
    const malformed = { ...internalError(), detail: 'the function returned a malformed response' };
    return readProxyResponse(outcome.payload) ?? malformed;
  }

  async function authorizeRoute(
    { authorization }: HttpRoute,
    request: GatewayRequest,
    facts: HttpEventFacts,
  ): Promise<HttpAuthorization> {
    if (authorization === 'NONE') return { allowed: true };
    // The ARN of a request has its path without the stage, even if a named stage is part of the URL.
    const path = stage === '$default' ? request.path : request.path.slice(stage.length + 1);
    const routeArn = executeApiArn(deployment, `${apiId}/${stage}/${request.method}${path}`);
    if (authorization !== 'AWS_IAM') return authorizers.authorize(authorization, request, facts, routeArn);

    const verification = keys.verify(request, 'execute-api', new Date(now()));
    if (!verification.ok) return { allowed: false, status: 403, why: verification.message };
    const { principal } = verification;
    const decision = authorize(principal, 'execute-api:Invoke', routeArn);
    if (!decision.allowed) return { allowed: false, status: 403, why: decision.message };
    return {
      allowed: true,
      authorizer: {
        iam: {
          accessKey: accessKeyOf(request),
          accountId: deployment.accountId,
          callerId: principal.name,
          cognitoIdentity: null,
          principalOrgId: null,
          userArn: principal.arn,
          userId: principal.name,
        },
      },
    };
  }

  function match(method: string, path: string): RouteMatch<HttpRoute> | undefined {
    return matchRoute(routes, method, stage === '$default' ? path : path.slice(stage.length + 1) || '/');
  }
}

function refusal(status: 401 | 403 | 500): HttpAnswer {
  if (status === 401) return message(401, 'Unauthorized');
  return status === 403 ? message(403, 'Forbidden') : internalError();
}

function internalError(): HttpAnswer {
  return message(500, 'Internal Server Error');
}

/** A permission is for the route: its ARN has `{variables}` where a request has values. */
function permissionPath({ key }: HttpRoute): string {
  return key.replace(' ', '');
}

function accessKeyOf(request: GatewayRequest): string {
  return /Credential=([^/]+)\//.exec(request.headers.authorization?.toString() ?? '')?.[1] ?? '';
}
