import { headerOf, type GatewayRequest } from '../gateway/request.ts';

/** CorsConfiguration of an HTTP API. */
export interface Cors {
  readonly allowOrigins: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds?: number;
}

/**
 * An API with CORS answers preflights itself, even without an OPTIONS route. Functions never see them
 * (http-api-cors).
 */
export function isPreflight(request: GatewayRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    headerOf(request, 'origin') !== undefined &&
    headerOf(request, 'access-control-request-method') !== undefined
  );
}

/** The headers of the 204 that answers a preflight. An origin that is not allowed gets none. */
export function preflightHeaders(cors: Cors, request: GatewayRequest): Record<string, string> {
  const origin = allowedOrigin(cors, request);
  if (origin === undefined) return {};
  return {
    ...originHeaders(cors, origin),
    ...listHeader('access-control-allow-methods', cors.allowMethods),
    ...listHeader('access-control-allow-headers', cors.allowHeaders),
    ...(cors.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(cors.maxAgeSeconds) }),
  };
}

/** The headers of any other answer. "API Gateway ignores CORS headers returned from your backend integration." */
export function withCors(
  cors: Cors,
  request: GatewayRequest,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const others = Object.entries(headers).filter(([name]) => !name.startsWith('access-control-'));
  const origin = allowedOrigin(cors, request);
  if (origin === undefined) return Object.fromEntries(others);
  return {
    ...Object.fromEntries(others),
    ...originHeaders(cors, origin),
    ...listHeader('access-control-expose-headers', cors.exposeHeaders),
  };
}

function originHeaders(cors: Cors, origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    ...(cors.allowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    // The answer differs by origin, so a cache must keep one for each.
    ...(origin === '*' ? {} : { vary: 'origin' }),
  };
}

function allowedOrigin(cors: Cors, request: GatewayRequest): string | undefined {
  const origin = headerOf(request, 'origin');
  if (origin === undefined) return undefined;
  if (cors.allowOrigins.includes('*')) return '*';
  const isAllowed = cors.allowOrigins.some(
    // API Gateway knows two wildcards within an origin: `https://*` and `http://*`.
    (allowed) => allowed === origin || (allowed.endsWith('://*') && origin.startsWith(allowed.slice(0, -1))),
  );
  return isAllowed ? origin : undefined;
}

function listHeader(name: string, values: readonly string[]): Record<string, string> {
  return values.length === 0 ? {} : { [name]: values.join(',') };
}
