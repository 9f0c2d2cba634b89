import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { makeCertificate } from '../../../bench/connections/certificate.ts';
import {
  createConnectionsClient,
  type ConnectionsClient,
  type ConnectionsClientOptions,
} from '../../../core/connections/client.ts';

export interface Seen {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The answer of the peer. `cut` closes the socket without an answer. */
export type PeerAnswer =
  'cut' | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

export interface Peer {
  /** Without a stage. */
  readonly origin: string;
  readonly ca?: string;
  readonly seen: readonly Seen[];
  connections(): number;
  /** How many TLS sessions were resumed. */
  resumed(): number;
}

/** A real server on loopback that stands in for `@connections`. It is closed as the test ends. */
export async function startPeer(
  answer: (seen: Seen, at: number) => PeerAnswer | Promise<PeerAnswer>,
  { isPlain = false } = {},
): Promise<Peer> {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      const one = { method, path, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      void Promise.resolve(answer(one, seen.length - 1)).then((what) => {
        if (what === 'cut') request.socket.destroy();
        else response.writeHead(what.status, what.headers).end(what.body);
      });
    });
  };
  const certificate = makeCertificate();
  const server: Server = isPlain ? createHttpServer(listener) : createHttpsServer(certificate, listener);
  let resumed = 0;
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.isSessionReused()) resumed += 1;
  });
  const { port, connections } = await listen(server, isPlain ? 'connection' : 'secureConnection');
  const origin = `${isPlain ? 'http' : 'https'}://127.0.0.1:${port}`;
  return { origin, seen, connections, resumed: () => resumed, ...(!isPlain && { ca: certificate.cert }) };
}

export interface WireAnswer {
  readonly connection: number;
  readonly request: string;
}

export interface WirePeer extends Omit<Peer, 'seen' | 'resumed'> {
  readonly requests: readonly string[];
  /** Called with each new socket, before anything was read from it. */
  onConnection(listener: (socket: Socket) => void): void;
}

/** A peer that writes any bytes: `answer` gets the bare socket with each whole request. */
export async function startWirePeer(answer: (socket: Socket, asked: WireAnswer) => void): Promise<WirePeer> {
  const requests: string[] = [];
  const server = createTcpServer();
  server.on('connection', (socket: Socket) => {
    const connection = connections();
    let received = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const length = Number(/content-length: (\d+)/.exec(received)?.[1] ?? 0);
      if (received.length < received.indexOf('\r\n\r\n') + 4 + length) return;
      const request = received;
      received = '';
      requests.push(request);
      answer(socket, { connection, request });
    });
  });
  const { port, connections } = await listen(server, 'connection');
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    connections,
    onConnection: (listener) => server.on('connection', listener),
  };
}

/** A client for the peer. It retries without waiting, and is closed as the test ends. */
export function clientFor(
  peer: Pick<Peer, 'origin' | 'ca'>,
  options: Partial<ConnectionsClientOptions> = {},
): ConnectionsClient {
  const client = createConnectionsClient({
    endpoint: `${peer.origin}/live`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    retryDelayMs: 1,
    throttledDelayMs: 1,
    ...(peer.ca !== undefined && { ca: peer.ca }),
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

async function listen(server: Server, event: string): Promise<{ port: number; connections: () => number }> {
  const sockets = new Set<Socket>();
  let count = 0;
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.prependListener(event, () => (count += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The peer has no port.');
  return { port: address.port, connections: () => count };
}
