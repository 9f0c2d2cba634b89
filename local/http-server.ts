import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { readBody, toRequest } from './front-request.ts';
import { pathOf } from './gateway/gateway.ts';
import { message } from './http-api/response.ts';
import type { Log } from './log.ts';
import type { Answer, Router } from './router.ts';
import { refuseUpgrade } from './websocket/pending-socket.ts';

/** What the user is told when another process, often an earlier start, has the port. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  constructor(port: number, options: ErrorOptions) {
    super(`Port ${String(port)} is in use: stop what runs there, or choose another with --port.`, options);
  }
}

/** Node's 16 KB would answer a URL above them with 431 before its length is looked at. */
const maxHeaderBytes = 64 * 1024;
/** "URL length 4096 characters" (apigateway-execution-service-websocket-limits-table). */
const maxUrlLength = 4096;

/** The server on the one port. Until it is given a router it answers 503. */
export class Front {
  readonly #server: Server;
  readonly #log: Log;
  #router: Router | undefined;

  constructor(log: Log) {
    this.#log = log;
    this.#server = createServer({ maxHeaderSize: maxHeaderBytes }, (incoming, response) => {
      void this.#handle(incoming, response);
    });
    this.#server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade(incoming, socket, head);
    });
    // Longer than SDK clients keep a connection: theirs is the side that should close it.
    this.#server.keepAliveTimeout = 75_000;
  }

  /** Only on loopback, so that nobody else on the network reaches the laptop's cloud. Gives the port. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const isInUse = 'code' in cause && cause.code === 'EADDRINUSE';
        reject(isInUse ? new PortInUseError(port, { cause }) : cause);
      });
      this.#server.listen(port, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  serve(router: Router): void {
    this.#router = router;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const path = pathOf(incoming.url ?? '/');
    let answer: Answer;
    try {
      answer = await this.#answer(incoming, path);
    } catch (error) {
      // A fault of this cloud. The client learns no more than that; the log learns what kind.
      const detail = error instanceof Error ? `${error.name} in ${firstFrame(error)}` : 'an unknown error';
      answer = { ...message(500, 'Internal Server Error'), detail };
    }
    write(response, answer);
    if (answer.quiet === true) return;
    const { status, detail } = answer;
    const line = { what: `${incoming.method ?? ''} ${path}`, status, ms: performance.now() - startedAt };
    this.#log.request(detail === undefined ? line : { ...line, detail });
  }

  async #answer(incoming: IncomingMessage, path: string): Promise<Answer> {
    if (!this.#router) return { ...message(503, 'Service Unavailable'), quiet: true };
    const body = await readBody(incoming);
    if (body === 'too-large') {
      const answer = message(413, 'Request Entity Too Large');
      return { ...answer, headers: { ...answer.headers, connection: 'close' } };
    }
    if (body === 'broken') return { ...message(400, 'Bad Request'), detail: 'the client went away' };
    return this.#router.answer(toRequest(incoming, path, body));
  }

  async #upgrade(incoming: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    // Node types the socket of an upgrade as any stream; over TCP it is one of these.
    if (!(duplex instanceof Socket)) {
      duplex.destroy();
      return;
    }
    const startedAt = performance.now();
    const path = pathOf(incoming.url ?? '/');
    const api = this.#router?.webSocketApi(path);
    const status = this.#router ? handshakeFault(incoming, api !== undefined) : 503;
    if (api && status === undefined) {
      await api.upgrade(incoming, toRequest(incoming, path, Buffer.alloc(0)), duplex, head);
      return;
    }
    refuseUpgrade(duplex, status ?? 403);
    this.#log.request({ what: `UPGRADE ${path}`, status: status ?? 403, ms: performance.now() - startedAt });
  }
}

/** What is wrong with a handshake before any function is asked; an unknown stage is 403, as for any unknown path. */
function handshakeFault(incoming: IncomingMessage, hasStage: boolean): number | undefined {
  const { headers, method, url = '/' } = incoming;
  if (`ws://${headers.host ?? ''}${url}`.length > maxUrlLength) return 414;
  if (!hasStage) return 403;
  const isKey = /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '');
  const isWebSocket =
    headers.upgrade?.toLowerCase() === 'websocket' && headers['sec-websocket-version'] === '13';
  return method === 'GET' && isWebSocket && isKey ? undefined : 400;
}

function write(response: ServerResponse, { status, headers, cookies = [], body }: Answer): void {
  const hasBody = status !== 204 && status !== 304;
  response.writeHead(status, {
    ...headers,
    ...(cookies.length === 0 ? {} : { 'set-cookie': [...cookies] }),
    ...(hasBody ? { 'content-length': Buffer.byteLength(body) } : {}),
  });
  response.end(hasBody ? body : undefined);
}

function firstFrame(error: Error): string {
  return /\n\s*at ([^\n]*)/.exec(error.stack ?? '')?.[1] ?? 'unknown';
}
