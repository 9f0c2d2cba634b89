import type { IncomingMessage } from 'node:http';
import type { HttpRequest } from '../sigv4/request.ts';

/** A request as it came over the wire, with the facts that API Gateway adds about its sender. */
export interface GatewayRequest extends HttpRequest {
  /** Path without the query, not decoded. */
  readonly path: string;
  /** Names and values in turn, as Node's `rawHeaders`: repeated headers stay apart and keep their case. */
  readonly rawHeaders: readonly string[];
  readonly sourceIp: string;
}

export function toRequest(incoming: IncomingMessage, body: Buffer): GatewayRequest {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming;
  const sourceIp = (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
  return { method, url, path: pathOf(url), headers, rawHeaders, body, sourceIp };
}

/** The largest request of any service here: a BatchWriteItem of 16 MB and its envelope. */
const maxBodyBytes = 17 * 1024 * 1024;

/** Reads a body to its end, whatever its size. A client that is cut off while it writes never reads the answer. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer | 'too-large' | 'broken'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) chunks.push(chunk);
    }
  } catch {
    return 'broken'; // The client went away in the middle of its request. Nobody waits for an answer.
  }
  return bytes > maxBodyBytes ? 'too-large' : Buffer.concat(chunks);
}

export function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function queryOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? '' : url.slice(query + 1);
}

/** The first value of a header. */
export function headerOf(request: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** The headers that API Gateway adds to a request. Here they hold the protocol and port of the laptop. */
export function forwardedHeaders(request: GatewayRequest, traceId: string): [string, string][] {
  const port = /:(\d+)$/.exec(headerOf(request, 'host') ?? '')?.[1] ?? '80';
  return [
    ['X-Amzn-Trace-Id', traceId],
    ['X-Forwarded-For', request.sourceIp],
    ['X-Forwarded-Port', port],
    ['X-Forwarded-Proto', 'http'],
  ];
}
