import { headerOf, type GatewayRequest } from './gateway.ts';

/** What API Gateway adds to a request on its way in; here with the laptop's own protocol and port. */
export function forwardedHeaders(request: GatewayRequest, traceId: string): [string, string][] {
  const port = /:(\d+)$/.exec(headerOf(request, 'host') ?? '')?.[1] ?? '80';
  return [
    ['X-Amzn-Trace-Id', traceId],
    ['X-Forwarded-For', request.sourceIp],
    ['X-Forwarded-Port', port],
    ['X-Forwarded-Proto', 'http'],
  ];
}
