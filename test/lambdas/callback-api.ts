import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/** One call to `@connections`; `body` is the frame that was posted, read as JSON. */
export interface CallbackCall {
  readonly method: string;
  readonly connectionId: string;
  readonly body?: unknown;
}

export interface CallbackApi {
  /** The URL in front of `/@connections/{connectionId}`, with a stage as on AWS. */
  readonly endpoint: string;
  readonly calls: CallbackCall[];
  /** The status of answers about a connection, if it is not the usual one. */
  readonly statuses: Map<string, number>;
  close(): Promise<void>;
}

/** The callback API on loopback: 200 to a POST, 204 to a DELETE, as its API model says. */
export async function startCallbackApi(): Promise<CallbackApi> {
  const calls: CallbackCall[] = [];
  const statuses = new Map<string, number>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '' } = request;
      const [, connectionId = ''] = /^\/live\/@connections\/(.+)$/.exec(decodeURIComponent(url)) ?? [];
      const frame: unknown = body === '' ? undefined : JSON.parse(body);
      calls.push({ method, connectionId, ...(frame !== undefined && { body: frame }) });
      response.writeHead(statuses.get(connectionId) ?? (method === 'DELETE' ? 204 : 200)).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    endpoint: `http://127.0.0.1:${String(port)}/live`,
    calls,
    statuses,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
