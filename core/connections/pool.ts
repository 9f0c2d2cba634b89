import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { type Answer } from './answer.ts';
import { type Exchange, PosterConnection } from './connection.ts';

export interface PoolOptions {
  /** Only protocol, host and port matter. */
  readonly endpoint: URL;
  readonly maxSockets: number;
  readonly timeoutMs: number;
  /** A connection idle for longer is not used again. */
  readonly maxIdleMs: number;
  /** Certificates to trust instead of the system's (PEM), for a peer with its own authority. */
  readonly ca?: string | undefined;
  readonly now: () => number;
}

export interface Pool {
  /** Rejects with an `AbortError` once the signal fires, at whatever stage the request is. */
  send(head: string, body: Uint8Array, signal?: AbortSignal): Promise<Answer>;
  close(): void;
}

/**
 * Keep-alive connections to one endpoint: at most `maxSockets`, one request on each at a time, the rest wait in order.
 * The connection used last is used next, so that a burst's surplus goes idle and times out.
 */
export function createPool(options: PoolOptions): Pool {
  const { maxSockets, timeoutMs, maxIdleMs, now } = options;
  const open = new Set<PosterConnection>();
  const idle: PosterConnection[] = [];
  const waiting = new Set<Exchange>();
  const carrying = new Map<Exchange, PosterConnection>();
  const dial = createDialer(options);

  const owner = {
    freed(connection: PosterConnection) {
      const next = takeWaiting();
      if (next) {
        carry(connection, next);
        return;
      }
      connection.idleSince = now();
      idle.push(connection);
    },
    ended(connection: PosterConnection) {
      if (!open.delete(connection)) return;
      const at = idle.indexOf(connection);
      if (at !== -1) idle.splice(at, 1);
      const next = takeWaiting();
      if (next) openFor(next);
    },
    idled(connection: PosterConnection) {
      if (isStale(connection)) connection.close(new Error('Idle for too long.'));
    },
  };

  /** After a Lambda thaws, its idle connections are long gone though no event has said so: the clock tells. */
  function isStale(connection: PosterConnection): boolean {
    return !connection.isUsable() || now() - connection.idleSince > maxIdleMs;
  }

  function takeWaiting(): Exchange | undefined {
    const [next] = waiting;
    if (next) waiting.delete(next);
    return next;
  }

  function takeIdle(): PosterConnection | undefined {
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (!isStale(connection)) return connection;
      connection.close(new Error('Idle for too long.'));
    }
    return undefined;
  }

  function openFor(exchange: Exchange): void {
    const { socket, readyEvent } = dial();
    const connection = new PosterConnection(socket, readyEvent, timeoutMs, owner);
    open.add(connection);
    carry(connection, exchange);
  }

  function carry(connection: PosterConnection, exchange: Exchange): void {
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
          settle(answer) {
            carrying.delete(exchange);
            signal?.removeEventListener('abort', abort);
            if (answer instanceof Error) reject(answer);
            else resolve(answer);
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
      const error = new Error('The poster was closed.');
      for (const exchange of waiting) exchange.settle(error);
      waiting.clear();
      for (const connection of open) connection.close(error);
    },
  };
}

/** Opens sockets to the endpoint; a TLS session is resumed, which spares both sides most of the next handshake. */
function createDialer({ endpoint, ca }: PoolOptions): () => { socket: Socket; readyEvent: string } {
  // A URL keeps the brackets of an IPv6 address; sockets want it bare.
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

/** Named as the SDK and the platform name it. */
function abortError(signal: AbortSignal | undefined): Error {
  return Object.assign(new Error('The request was aborted.', { cause: signal?.reason }), {
    name: 'AbortError',
  });
}
