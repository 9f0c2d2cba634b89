import { requestTime } from '../gateway/ids.ts';
import { forwardedHeaders, headerOf, queryOf, type GatewayRequest } from '../gateway/request.ts';

/** The facts of one request in payload format 2.0, without its body and authorizer. */
export interface HttpEventFacts {
  readonly accountId: string;
  readonly apiId: string;
  readonly stage: string;
  readonly domainName: string;
  readonly routeKey: string;
  readonly requestId: string;
  readonly at: number;
  readonly traceId: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly stageVariables: Readonly<Record<string, string>>;
}

/** The fields that authorizers and integrations both get (http-api-develop-integrations-lambda, format 2.0). */
export function requestParts(
  request: GatewayRequest,
  facts: HttpEventFacts,
  authorizer?: unknown,
): Record<string, unknown> {
  const { pathParameters, stageVariables } = facts;
  const cookies = (headerOf(request, 'cookie') ?? '').split(/;\s*/).filter((cookie) => cookie !== '');
  const rawQueryString = queryOf(request.url);
  const query = joined([...new URLSearchParams(rawQueryString)]);
  return {
    version: '2.0',
    routeKey: facts.routeKey,
    rawPath: request.path,
    rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: readHeaders(request, facts.traceId),
    ...(rawQueryString === '' ? {} : { queryStringParameters: query }),
    requestContext: context(request, facts, authorizer),
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    ...(Object.keys(stageVariables).length === 0 ? {} : { stageVariables }),
  };
}

/** The event of a Lambda proxy integration. */
export function proxyEvent(
  request: GatewayRequest,
  facts: HttpEventFacts,
  authorizer?: unknown,
): Record<string, unknown> {
  const isBase64Encoded = request.body.length > 0 && !isText(request);
  const body = request.body.toString(isBase64Encoded ? 'base64' : 'utf8');
  return {
    ...requestParts(request, facts, authorizer),
    ...(request.body.length === 0 ? {} : { body }),
    isBase64Encoded,
  };
}

function context(
  request: GatewayRequest,
  facts: HttpEventFacts,
  authorizer: unknown,
): Record<string, unknown> {
  const { accountId, apiId, stage, domainName, routeKey, requestId, at } = facts;
  return {
    accountId,
    apiId,
    ...(authorizer === undefined ? {} : { authorizer }),
    domainName,
    domainPrefix: apiId,
    http: {
      method: request.method,
      path: request.path,
      protocol: 'HTTP/1.1',
      sourceIp: request.sourceIp,
      userAgent: headerOf(request, 'user-agent') ?? '',
    },
    requestId,
    routeKey,
    stage,
    time: requestTime(at),
    timeEpoch: at,
  };
}

/** Names are in lower case. Repeated headers are joined by commas. Cookies have their own field. */
function readHeaders(request: GatewayRequest, traceId: string): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? '').toLowerCase();
    if (name !== 'cookie' && !HOP_BY_HOP.has(name)) pairs.push([name, request.rawHeaders[at + 1] ?? '']);
  }
  const added = forwardedHeaders(request, traceId).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    value,
  ]);
  return joined([...pairs, ...added]);
}

function joined(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const known = values.get(name);
    values.set(name, known === undefined ? value : `${known},${value}`);
  }
  return Object.fromEntries(values);
}

/**
 * Only these bodies arrive as text. All others arrive as base64, even form data and bodies without a content type. AWS
 * documents base64 for binary bodies only. This list was observed on AWS (a capture in ministackorg/ministack).
 */
function isText(request: GatewayRequest): boolean {
  const type = headerOf(request, 'content-type') ?? '';
  const isEncoded = headerOf(request, 'content-encoding') !== undefined;
  return !isEncoded && /^(?:text\/|application\/(?:json|javascript|xml)\s*(?:;|$))/i.test(type);
}

const HOP_BY_HOP = new Set([
  ...['connection', 'http2-settings', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
]);
