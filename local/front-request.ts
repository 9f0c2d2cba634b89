import type { IncomingMessage } from 'node:http';
import type { GatewayRequest } from './gateway/gateway.ts';

/** The largest request of any service here: 16 MB of a BatchWriteItem, and a little for what surrounds it. */
const maxBodyBytes = 17 * 1024 * 1024;

/** The request as the APIs see it. */
export function toRequest(incoming: IncomingMessage, path: string, body: Buffer): GatewayRequest {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming;
  const sourceIp = (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
  return { method, url, path, headers, rawHeaders, body, sourceIp };
}

/** Reads a body to its end, whatever its size: a client that is cut off while it writes never reads the answer. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer | 'too-large' | 'broken'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming) {
      if (!Buffer.isBuffer(chunk)) continue;
      bytes += chunk.length;
      // What is too much is still read, so that the client gets to see the answer, but not kept.
      if (bytes <= maxBodyBytes) chunks.push(chunk);
    }
  } catch {
    return 'broken'; // The client went away in the middle of its request: nobody waits for an answer.
  }
  return bytes > maxBodyBytes ? 'too-large' : Buffer.concat(chunks);
}
