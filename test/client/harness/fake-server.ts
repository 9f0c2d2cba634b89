import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Frame } from '../../../client/index.ts';
import { Arrivals } from './arrivals.ts';
import { FakeLogs } from './fake-logs.ts';

/** A frame from a client. */
export interface Sent {
  readonly type: string;
  readonly content: unknown;
  readonly id?: string;
}

/** May answer a frame in place of the server. Returns true if it has handled the frame. */
export type Script = (frame: Sent, connection: FakeConnection) => boolean;

/** The server's end of one connection. */
export class FakeConnection {
  readonly query: URLSearchParams;
  readonly received = new Arrivals<Sent>();
  readonly closed: Promise<number>;
  readonly socket: WebSocket;

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    answer: (frame: Sent, self: FakeConnection) => void,
  ) {
    this.socket = socket;
    this.query = new URL(request.url ?? '/', 'ws://localhost').searchParams;
    this.closed = once(socket, 'close').then(([code]) => Number(code));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Sent;
      this.received.push(frame);
      answer(frame, this);
    });
  }

  send(...frames: readonly (Partial<Frame> | string)[]): void {
    for (const frame of frames) this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  ack(frame: Sent, content: unknown): void {
    this.send({ type: 'ack', content, ...(frame.id !== undefined && { id: frame.id }) });
  }

  refuse(frame: Sent, code: string): void {
    const content = { code, message: `refused as ${code}`, requestType: frame.type };
    this.send({ type: 'error', content, ...(frame.id !== undefined && { id: frame.id }) });
  }

  /** Takes the next frame of the type. */
  next(type: string): Promise<Sent> {
    return this.received.next((frame) => frame.type === type);
  }
}

/** A server that speaks the product's protocol over real sockets. A test's script may change its answers. */
export class FakeServer {
  readonly url: string;
  readonly httpUrl: string;
  readonly logs = new FakeLogs();
  readonly connections = new Arrivals<FakeConnection>();
  readonly posts = new Arrivals<{
    readonly path: string | undefined;
    readonly authorization: string | undefined;
    readonly body: string;
  }>();
  /** The HTTP status that refuses handshakes, if set. */
  refusal: number | undefined;
  /** The answer to a POST. */
  postAnswer: { readonly status: number; readonly body: string } | 'none' | undefined;
  script: Script = () => false;
  /** The number of POSTs that wait for an answer. */
  openPosts = 0;
  private readonly http: Server;
  private readonly open = new Set<FakeConnection>();

  private constructor(http: Server) {
    const { port } = http.address() as AddressInfo;
    this.http = http;
    this.url = `ws://127.0.0.1:${port}/live`;
    this.httpUrl = `http://127.0.0.1:${port}`;
    const sockets = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request: IncomingMessage, socket, head) => {
      if (request.headers['sec-websocket-protocol'] === 'barrier') {
        sockets.handleUpgrade(request, socket, head, (barrier) => {
          barrier.once('message', () => barrier.send(''));
        });
        return;
      }
      if (this.refusal !== undefined) {
        socket.end(`HTTP/1.1 ${this.refusal} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => this.accept(webSocket, request));
    });
    http.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        this.posts.push({ path: request.url, authorization: request.headers.authorization, body });
        const { id } = JSON.parse(body) as Sent;
        const ack = { status: 200, body: JSON.stringify({ type: 'ack', id, content: 'by HTTP' }) };
        const answer = this.postAnswer ?? ack;
        this.openPosts += 1;
        response.once('close', () => (this.openPosts -= 1));
        if (answer === 'none') return;
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
      });
    });
  }

  static async start(): Promise<FakeServer> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new FakeServer(http);
  }

  /** Appends a durable message to its channel's log and sends it on every connection. */
  publish(channel: string, content: unknown, type = 'note'): Frame {
    const frame = this.logs.append(channel, type, content);
    for (const connection of this.open) connection.send(frame);
    return frame;
  }

  /** Cuts every connection without a close frame, as a lost network does. */
  cut(): void {
    for (const { socket } of this.open) socket.terminate();
  }

  /**
   * Proves silence by an exchange on a separate connection that no test sees. After the exchange, the server has seen
   * every earlier connection and frame of the clients. The clients have seen every earlier frame of the server.
   */
  async barrier(): Promise<void> {
    const socket = new WebSocket(this.url, 'barrier');
    await once(socket, 'open');
    socket.send('');
    await once(socket, 'message');
    socket.terminate();
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.http, 'close');
    this.http.close();
    this.http.closeAllConnections();
    await closed;
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    const connection = new FakeConnection(socket, request, (frame, self) => this.answer(frame, self));
    this.open.add(connection);
    socket.on('close', () => this.open.delete(connection));
    this.connections.push(connection);
  }

  private answer(frame: Sent, connection: FakeConnection): void {
    if (this.script(frame, connection)) return;
    if (frame.type === 'ping') connection.send({ type: 'pong', content: null, id: frame.id ?? '' });
    else if (frame.type === 'recover' || frame.type === 'subscribe') {
      const { frames, content } = this.logs.read(frame.type, frame.content);
      connection.send(...frames);
      connection.ack(frame, content);
    } else connection.ack(frame, { echo: frame.content ?? null });
  }
}
