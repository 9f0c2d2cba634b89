import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pathOf, readBody, toRequest } from './gateway/request.ts';
import { message } from './http-api/response.ts';
import type { Log } from './log.ts';
import { refusalOf } from './loopback.ts';
import type { Answer, Router } from './router.ts';
import { refuseUpgrade } from './websocket/pending-socket.ts';

/** Another process has the port, often an earlier start. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  constructor(port: number, options: ErrorOptions) {
    super(`Port ${String(port)} is in use: stop its process, or choose another port with --port.`, options);
  }
}

/** The server on the one port. It answers 503 until it gets a router. */
export interface HttpServer {
  readonly port: number;
  serve(router: Router): void;
  close(): Promise<void>;
}

/** With Node's default of 16 KB, a long URL would get 431 before its length is checked. */
const maxHeaderBytes = 64 * 1024;
/** "URL length 4096 characters" (apigateway-execution-service-websocket-limits-table). */
const maxUrlLength = 4096;

/** Listens on loopback alone, so that nobody else on the network reaches the cloud. */
export async function startHttpServer(
  requestedPort: number,
  log: Log,
  /** Pages of these origins may call too, besides those of this machine. */
  allowedOrigins: ReadonlySet<string> = new Set(),
): Promise<HttpServer> {
  let router: Router | undefined;
  const server = createServer({ maxHeaderSize: maxHeaderBytes }, (incoming, response) => {
    void handle(incoming, response);
  });
  server.on('upgrade', (incoming: IncomingMessage, duplex: Duplex, head: Buffer) => {
    // Node types the socket of an upgrade as any stream. Over TCP it is a net.Socket.
    if (!(duplex instanceof Socket)) duplex.destroy();
    else if (asksForWebSocket(incoming)) void upgrade(incoming, duplex, head);
    else serveWithoutUpgrade(incoming, duplex, head);
  });
  // Longer than SDK clients keep a connection open: the client should close it, not the server.
  server.keepAliveTimeout = 75_000;

  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (cause) => {
      const isInUse = 'code' in cause && cause.code === 'EADDRINUSE';
      reject(isInUse ? new PortInUseError(requestedPort, { cause }) : cause);
    });
    server.listen(requestedPort, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : requestedPort);
    });
  });

  return {
    port,
    serve(next) {
      router = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    let result: Answer;
    try {
      result = await answer(incoming);
    } catch (error) {
      // A fault of this cloud. The client gets no detail. The log gets the kind of error and where it was thrown.
      const detail = error instanceof Error ? `${error.name} in ${firstFrame(error)}` : 'an unknown error';
      result = { ...message(500, 'Internal Server Error'), detail };
    }
    write(response, result);
    if (result.quiet === true) return;
    const { status, detail } = result;
    const what = `${incoming.method ?? ''} ${pathOf(incoming.url ?? '/')}`;
    const line = { what, status, ms: performance.now() - startedAt };
    log.request(detail === undefined ? line : { ...line, detail });
  }

  async function answer(incoming: IncomingMessage): Promise<Answer> {
    const refusal = refusalOf(incoming.headers, allowedOrigins);
    if (refusal !== undefined) return { ...message(403, refusal), detail: refusal };
    if (!router) return { ...message(503, 'Service Unavailable'), quiet: true };
    const body = await readBody(incoming);
    if (body === 'too-large') {
      const refusal = message(413, 'Request Entity Too Large');
      return { ...refusal, headers: { ...refusal.headers, connection: 'close' } };
    }
    if (body === 'broken') return { ...message(400, 'Bad Request'), detail: 'the client went away' };
    return router.answer(toRequest(incoming, body));
  }

  async function upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const startedAt = performance.now();
    const request = toRequest(incoming, Buffer.alloc(0));
    const refuse = ({ status, why, message }: UpgradeFault): void => {
      refuseUpgrade(socket, status, message === undefined ? {} : { message });
      log.request({
        what: `UPGRADE ${request.path}`,
        status,
        ms: performance.now() - startedAt,
        detail: why,
      });
    };
    const refusal = refusalOf(incoming.headers, allowedOrigins);
    if (refusal !== undefined) {
      refuse({ status: 403, why: refusal, message: refusal });
      return;
    }
    const api = router?.webSocketApi(request.path);
    const fault = router ? handshakeFault(incoming, api !== undefined) : notReady;
    if (api && !fault) {
      await api.upgrade(incoming, request, socket, head);
      return;
    }
    refuse(fault ?? unknownStage);
  }

  /**
   * "A server MAY ignore a received Upgrade header field" (RFC 9110, 7.8). Java's HTTP client asks for `h2c` with every
   * first request. Node has given up the socket by now, so the server gets it back with the same request, less the header.
   */
  function serveWithoutUpgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    const { method = '', url = '', httpVersion, rawHeaders } = incoming;
    const lines = [`${method} ${url} HTTP/${httpVersion}`];
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] ?? '';
      if (name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${rawHeaders[at + 1] ?? ''}`);
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
    server.emit('connection', socket);
  }
}

interface UpgradeFault {
  readonly status: number;
  /** For the log. */
  readonly why: string;
  /** For the client. @default - the words of API Gateway */
  readonly message?: string;
}

const notReady: UpgradeFault = { status: 503, why: 'the cloud is still starting' };
const unknownStage: UpgradeFault = { status: 403, why: 'no WebSocket API has this stage' };

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Checks a handshake before any function runs. */
function handshakeFault(incoming: IncomingMessage, hasStage: boolean): UpgradeFault | undefined {
  const { headers, method, url = '/' } = incoming;
  if (`ws://${headers.host ?? ''}${url}`.length > maxUrlLength) {
    return { status: 414, why: `the URL has more than ${String(maxUrlLength)} characters` };
  }
  if (!hasStage) return unknownStage;
  if (method !== 'GET') return { status: 400, why: 'the method is not GET' };
  if (headers['sec-websocket-version'] !== '13') {
    return { status: 400, why: 'Sec-WebSocket-Version is not 13' };
  }
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')) {
    return { status: 400, why: 'Sec-WebSocket-Key is missing or malformed' };
  }
  return undefined;
}

function write(response: ServerResponse, { status, headers, cookies = [], body }: Answer): void {
  const hasBody = status !== 204 && status !== 304;
  // The answer to HEAD may give the length of the body that GET would have.
  const length = (response.req.method === 'HEAD' && headers['content-length']) || Buffer.byteLength(body);
  response.writeHead(status, {
    ...headers,
    ...(cookies.length === 0 ? {} : { 'set-cookie': [...cookies] }),
    ...(hasBody ? { 'content-length': length } : {}),
  });
  response.end(hasBody ? body : undefined);
}

function firstFrame(error: Error): string {
  return /\n\s*at ([^\n]*)/.exec(error.stack ?? '')?.[1] ?? 'unknown';
}
