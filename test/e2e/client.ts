import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import WebSocket from 'ws';
import { Queue } from '../queue.ts';

/** A received frame, parsed. */
export type Frame = Record<string, unknown>;

/** A `ws` client whose frames wait in a queue until a test asks for them. */
export class Client {
  readonly socket: WebSocket;
  private readonly arrived = new Queue<string>();
  private barriers = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.arrived.push(data.toString());
    });
  }

  static async open(url: string, options: WebSocket.ClientOptions = {}): Promise<Client> {
    const client = new Client(new WebSocket(url, options));
    await once(client.socket, 'open');
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  nextText(): Promise<string> {
    return this.arrived.next();
  }

  async next(): Promise<Frame> {
    return JSON.parse(await this.nextText()) as Frame;
  }

  /** Sends a frame, and resolves to the next received frame. */
  ask(frame: unknown): Promise<Frame> {
    this.send(frame);
    return this.next();
  }

  /** Sends a frame with an id, again for as long as it is above the rate. Resolves to its answer. */
  async askWithinRate(frame: Frame): Promise<Frame> {
    for (;;) {
      const answer = await this.ask(frame);
      const { retryAfterMs } = (answer['content'] ?? {}) as { retryAfterMs?: number };
      if (retryAfterMs === undefined) return answer;
      await wait(retryAfterMs);
    }
  }

  /** Sends a ping, and resolves to the frames that came before its pong. */
  async drain(): Promise<Frame[]> {
    const id = `barrier-${String((this.barriers += 1))}`;
    this.send({ type: 'ping', id });
    const frames: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame['type'] === 'pong' && frame['id'] === id) return frames;
      frames.push(frame);
    }
  }

  /** Proves that no other frame came. */
  async expectSilence(): Promise<void> {
    expect(await this.drain()).toEqual([]);
  }

  /** Resolves to the close code and reason. */
  async closed(): Promise<{ code: number; reason: string }> {
    const [code, reason] = (await once(this.socket, 'close')) as [number, Buffer];
    return { code, reason: reason.toString() };
  }

  async close(): Promise<void> {
    const closed = this.closed();
    this.socket.close(1000);
    await closed;
  }
}

/** Resolves to the HTTP status of a refused handshake. */
export async function refusalStatus(url: string, options: WebSocket.ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(url, options);
  // ws also reports the refusal as an error once the response is dropped.
  socket.on('error', () => undefined);
  const [request, response] = (await once(socket, 'unexpected-response')) as [
    { destroy(): void },
    { statusCode: number },
  ];
  request.destroy();
  return response.statusCode;
}
