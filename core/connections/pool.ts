import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { type HttpResponse } from './http-response.ts';
import { type Exchange, HttpConnection } from './http-connection.ts';

export interface PoolOptions {
  /** Only protocol, host and port matter. */
  readonly endpoint: URL;
  readonly maxSockets: number;
  readonly timeoutMs: number;
  /** A connection idle for longer is not used again. */
  readonly maxIdleMs: number;
  /** Certificates to trust instead of the system's (PEM). */
  readonly ca?: string | undefined;
  readonly now: () => number;
}

export interface Pool {
  /** Rejects with an `AbortError` once the signal fires, at any stage of the request. */
  send(head: string, body: Uint8Array, signal?: AbortSignal): Promise<HttpResponse>;
  close(): void;
}

/**
 * At most `maxSockets` keep-alive connections to one endpoint. Each carries one request at a time; other requests wait
 * in order. The connection used last is used next, so those that only a burst needed become idle and time out.
 */
export function createPool(options: PoolOptions): Pool {
  const { maxSockets, timeoutMs, maxIdleMs, now } = options;
  const open = new Set<HttpConnection>();
  const idle: HttpConnection[] = [];
  const waiting = new Set<Exchange>();
  const carrying = new Map<Exchange, HttpConnection>();
  const dial = createDialer(options);

  const owner = {
    freed(connection: HttpConnection) {
      const next = takeWaiting();
      if (next) {
        carry(connection, next);
        return;
      }
      connection.idleSince = now();
      idle.push(connection);
    },
    ended(connection: HttpConnection) {
      if (!open.delete(connection)) return;
      const at = idle.indexOf(connection);
      if (at !== -1) idle.splice(at, 1);
      const next = takeWaiting();
      if (next) openFor(next);
    },
    idled(connection: HttpConnection) {
      if (isStale(connection)) connection.close(new Error('Idle for too long.'));
    },
  };

  /** While a Lambda is frozen, its peers close idle connections and no event says so. Only the clock tells. */
  function isStale(connection: HttpConnection): boolean {
    return !connection.isUsable() || now() - connection.idleSince > maxIdleMs;
  }

  function takeWaiting(): Exchange | undefined {
    const [next] = waiting;
    if (next) waiting.delete(next);
    return next;
  }

  function takeIdle(): HttpConnection | undefined {
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (!isStale(connection)) return connection;
      connection.close(new Error('Idle for too long.'));
    }
    return undefined;
  }

  function openFor(exchange: Exchange): void {
    const { socket, readyEvent } = dial();
    const connection = new HttpConnection(socket, readyEvent, timeoutMs, owner);
    open.add(connection);
    carry(connection, exchange);
  }

  function carry(connection: HttpConnection, exchange: Exchange): void {
    carrying.set(exchange, connection);
    connection.send(exchange);
  }

  function start(exchange: Exchange): void {
    const connection = takeIdle();
    if (connection) carry(connection, exchange);
    else if (open.size < maxSockets) openFor(exchange);
    else waiting.add(exchange);
  }

  return {
    send: (head, body, signal) =>
      new Promise((resolve, reject) => {
        const abort = () => {
          const error = abortError(signal);
          if (waiting.delete(exchange)) exchange.settle(error);
          else carrying.get(exchange)?.close(error);
        };
        const exchange: Exchange = {
          head,
          body,
          settle(response) {
            carrying.delete(exchange);
            signal?.removeEventListener('abort', abort);
            if (response instanceof Error) reject(response);
            else resolve(response);
          },
        };
        if (signal?.aborted) {
          reject(abortError(signal));
          return;
        }
        signal?.addEventListener('abort', abort);
        start(exchange);
      }),
    close() {
      const error = new Error('The connections client was closed.');
      for (const exchange of waiting) exchange.settle(error);
      waiting.clear();
      for (const connection of open) connection.close(error);
    },
  };
}

/** Opens sockets to the endpoint. Each resumes the last TLS session, which saves most of the handshake. */
function createDialer({ endpoint, ca }: PoolOptions): () => { socket: Socket; readyEvent: string } {
  // A URL has brackets around an IPv6 address. A socket takes the address without them.
  const host = endpoint.hostname.replace(/^\[|\]$/g, '');
  if (endpoint.protocol === 'http:') {
    const port = Number(endpoint.port || 80);
    return () => ({ socket: connectPlain({ host, port }), readyEvent: 'connect' });
  }
  const options: ConnectionOptions = {
    host,
    port: Number(endpoint.port || 443),
    ALPNProtocols: ['http/1.1'],
  };
  if (isIP(host) === 0) options.servername = host; // A server name must not be an address (RFC 6066, 3).
  if (ca !== undefined) options.ca = ca;
  return () => {
    const socket = connectTls(options);
    socket.on('session', (session) => (options.session = session));
    return { socket, readyEvent: 'secureConnect' };
  };
}

/** With the name that Node gives an abort. */
function abortError(signal: AbortSignal | undefined): Error {
  return Object.assign(new Error('The request was aborted.', { cause: signal?.reason }), {
    name: 'AbortError',
  });
}
