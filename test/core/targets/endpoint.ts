import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { Queue } from '../../queue.ts';

export interface EndpointRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Respond = (response: ServerResponse, request: EndpointRequest) => void;

/** An HTTP server of a test file. */
export interface Endpoint {
  readonly url: string;
  /** The requests since the test began. */
  requests: Queue<EndpointRequest>;
  /** How it answers until the test ends. At first, 204. */
  respond: Respond;
}

export function useEndpoint(): Endpoint {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      const received = { method, path, headers, body };
      endpoint.requests.push(received);
      endpoint.respond(response, received);
    });
  });
  const noContent: Respond = (response) => response.writeHead(204).end();
  let url = '';
  const endpoint: Endpoint = {
    get url() {
      return url;
    },
    requests: new Queue<EndpointRequest>(),
    respond: noContent,
  };
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}`;
  });
  beforeEach(() => {
    endpoint.requests = new Queue<EndpointRequest>();
    endpoint.respond = noContent;
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return endpoint;
}

/** Answers with JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Respond {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
