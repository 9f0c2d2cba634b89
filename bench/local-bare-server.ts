import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import { randomUUID } from 'node:crypto';
import { jwtVerify } from 'jose';
import { type WebSocket, WebSocketServer } from 'ws';
import * as z from 'zod/mini';
import { serveUntilParentLeaves } from '../scripts/server-process.ts';

/**
 * The peer is a hand-written server for the same work. Its argument is the secret. It verifies the same HS256 token before the upgrade. It keeps
 * the sockets of each user in a map, answers the heartbeat frame, and takes publishes by plain HTTP.
 */
const secret = new TextEncoder().encode(process.argv[2]);
const socketsOf = new Map<string, Set<WebSocket>>();
const upgrader = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const claims = z.object({ sub: z.string(), userType: z.string() });
const frame = z.object({ type: z.string(), id: z.optional(z.string()) });
const request = z.object({ to: z.string(), type: z.string(), content: z.unknown() });

const server = createServer((incoming, response) => {
  void publish(incoming).then((answer) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
});
server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
  void accept(incoming, socket, head);
});

await serveUntilParentLeaves(server);

async function accept(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const token = new URL(incoming.url ?? '/', 'http://localhost').searchParams.get('token') ?? '';
  const user = await userOf(token);
  if (user === undefined) {
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    return;
  }
  upgrader.handleUpgrade(incoming, socket, head, (webSocket) => {
    const sockets = socketsOf.get(user) ?? new Set();
    socketsOf.set(user, sockets.add(webSocket));
    webSocket.on('close', () => sockets.delete(webSocket));
    webSocket.on('message', (data: Buffer) => {
      const { type, id } = frame.parse(JSON.parse(data.toString()));
      if (type === 'ping') webSocket.send(JSON.stringify({ type: 'pong', id, content: null }));
    });
  });
}

async function userOf(token: string): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    const { sub, userType } = claims.parse(payload);
    return `user:${userType}:${sub}`;
  } catch {
    return undefined; // jose throws for every invalid token. The caller refuses the handshake.
  }
}

async function publish(incoming: IncomingMessage): Promise<unknown> {
  const { to, type, content } = request.parse(await json(incoming));
  const messageId = randomUUID();
  const text = JSON.stringify({ type, content, messageId });
  const sockets = socketsOf.get(to) ?? new Set();
  for (const socket of sockets) socket.send(text);
  return { messageId, status: 'delivered', delivered: sockets.size, gone: 0, failed: 0 };
}
