import { WebSocket } from 'ws';
import { Queue } from './queue.ts';

/** A `ws` client whose frames, refusal and end can be awaited. */
export class Client {
  readonly socket: WebSocket;
  readonly frames = new Queue<string>();
  /** 101, or the HTTP status with which the handshake was refused. */
  readonly handshake: Promise<number>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  constructor(url: string, protocols: string[] = [], headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url, protocols, { headers });
    this.handshake = new Promise((resolve) => {
      this.socket.once('open', () => {
        resolve(101);
      });
      this.socket.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
        this.socket.terminate();
      });
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
      });
    });
    this.socket.on('message', (data: Buffer) => {
      this.frames.push(data.toString());
    });
    // `handshake` and `closed` report refused and lost connections.
    this.socket.on('error', () => undefined);
  }

  /** Waits until the connection is open, and fails if it was refused. */
  async open(): Promise<this> {
    const status = await this.handshake;
    if (status !== 101) throw new Error(`The handshake was refused with ${String(status)}.`);
    return this;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }
}
