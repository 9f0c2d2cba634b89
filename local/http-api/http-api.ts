import { executeApiArn, type Gateway, type GatewayRequest } from '../gateway/gateway.ts';
import { HttpAuthorizers, type HttpAuthorization } from './authorizer.ts';
import { isPreflight, preflightHeaders, withCors } from './cors.ts';
import type { HttpApiDefinition, HttpRoute } from './definition.ts';
import { proxyEvent, type HttpEventFacts } from './event.ts';
import { message, readProxyResponse, type HttpAnswer } from './response.ts';
import { matchRoute, type RouteMatch } from './routes.ts';
import { authorize } from '../iam/authorize.ts';
import { callFunction, failureOf } from '../gateway/integration.ts';

/** An answer, and for the log why it is not the one that was hoped for. */
export type Explained = HttpAnswer & { readonly detail?: string | undefined };

/** "Payload size: 10 MB" (http-api-quotas). */
export const maxRequestBytes = 10 * 1024 * 1024;
/** "6 MB for each request and response, synchronous" (gettingstarted-limits of Lambda), envelope included. */
const maxEventBytes = 6 * 1024 * 1024;
/** Requests are metered in 512 KB increments (https://aws.amazon.com/api-gateway/pricing/). */
const meteredBytes = 512 * 1024;

/** One stage of an HTTP API. */
export class HttpApi {
  readonly definition: HttpApiDefinition;
  readonly #gateway: Gateway;
  readonly #authorizers: HttpAuthorizers;

  constructor(gateway: Gateway, definition: HttpApiDefinition) {
    this.definition = definition;
    this.#gateway = gateway;
    this.#authorizers = new HttpAuthorizers(gateway);
  }

  async handle(request: GatewayRequest): Promise<Explained> {
    const { meter, ids } = this.#gateway;
    meter.count('httpApi.requests', Math.max(1, Math.ceil(request.body.length / meteredBytes)));
    const requestId = ids.next();
    const { cors } = this.definition;
    if (cors && isPreflight(request)) {
      const headers = { ...preflightHeaders(cors, request), 'apigw-requestid': requestId };
      return { status: 204, headers, cookies: [], body: '' };
    }
    const answer = await this.#route(request, requestId);
    const headers = cors ? withCors(cors, request, answer.headers) : answer.headers;
    return { ...answer, headers: { ...headers, 'apigw-requestid': requestId } };
  }

  /** Has the API a route for this, other than `$default`, which takes everything? */
  hasRouteFor(method: string, path: string): boolean {
    return this.#match(method, path)?.route.pattern.kind === 'path';
  }

  async #route(request: GatewayRequest, requestId: string): Promise<Explained> {
    const { deployment, functions, host, ids, now } = this.#gateway;
    const { apiId, stage, stageVariables } = this.definition;
    const match = this.#match(request.method, request.path);
    if (!match) return message(404, 'Not Found');
    if (request.body.length > maxRequestBytes) return message(413, 'Request Entity Too Large');
    const { route, pathParameters } = match;
    const at = now();
    const facts: HttpEventFacts = {
      accountId: deployment.accountId,
      apiId,
      stage,
      domainName: host,
      routeKey: route.key,
      requestId,
      at,
      traceId: ids.trace(at),
      pathParameters,
      stageVariables,
    };
    const authorization = await this.#authorize(route, request, facts);
    if (!authorization.allowed) return { ...refusal(authorization.status), detail: authorization.why };

    const event = proxyEvent(request, facts, authorization.authorizer);
    if (Buffer.byteLength(JSON.stringify(event)) > maxEventBytes)
      return message(413, 'Request Entity Too Large');
    const sourceArn = executeApiArn(deployment, `${apiId}/${stage}/${permissionPath(route)}`);
    const outcome = await callFunction(functions, route.integration, sourceArn, event);
    if (outcome.status === 'timeout' || outcome.status === 'throttled') {
      return { ...message(503, 'Service Unavailable'), detail: failureOf(outcome, sourceArn) };
    }
    if (outcome.status !== 'ok') return { ...internalError(), detail: failureOf(outcome, sourceArn) };
    return (
      readProxyResponse(outcome.payload) ?? {
        ...internalError(),
        detail: 'the function returned a malformed response',
      }
    );
  }

  async #authorize(
    route: HttpRoute,
    request: GatewayRequest,
    facts: HttpEventFacts,
  ): Promise<HttpAuthorization> {
    const { authorization } = route;
    if (authorization === 'NONE') return { allowed: true };
    const { deployment, keys, now } = this.#gateway;
    const { apiId, stage } = this.definition;
    // A request's ARN holds the path without the stage, though the wire has it where the stage is a named one.
    const path = stage === '$default' ? request.path : request.path.slice(stage.length + 1);
    const routeArn = executeApiArn(deployment, `${apiId}/${stage}/${request.method}${path}`);
    if (authorization !== 'AWS_IAM')
      return this.#authorizers.authorize(authorization, request, facts, routeArn);

    const verification = keys.verify(request, 'execute-api', new Date(now()));
    if (!verification.ok) return { allowed: false, status: 403, why: verification.message };
    const { principal } = verification;
    const decision = authorize(principal, 'execute-api:Invoke', routeArn);
    if (!decision.allowed) return { allowed: false, status: 403, why: decision.message };
    const { accountId } = deployment;
    const accessKey = accessKeyOf(request);
    const iam = {
      accessKey,
      accountId,
      callerId: principal.name,
      cognitoIdentity: null,
      principalOrgId: null,
    };
    return { allowed: true, authorizer: { iam: { ...iam, userArn: principal.arn, userId: principal.name } } };
  }

  #match(method: string, path: string): RouteMatch<HttpRoute> | undefined {
    const { routes, stage } = this.definition;
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

/** A permission is for the route, so its ARN has `{variables}` where a request has values. */
function permissionPath({ key }: HttpRoute): string {
  return key.replace(' ', '');
}

function accessKeyOf(request: GatewayRequest): string {
  return /Credential=([^/]+)\//.exec(request.headers.authorization?.toString() ?? '')?.[1] ?? '';
}
