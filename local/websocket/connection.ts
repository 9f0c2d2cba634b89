import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { OutboundQueue } from '../faults/outbound-queue.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Meter } from '../meter.ts';
import type { AuthorizerContext, ConnectionFacts, Ending } from './events.ts';
import { FrameLimit } from './frames.ts';

/** Both from apigateway-execution-service-websocket-limits-table. */
export const maxFrameBytes = 32 * 1024;
export const maxMessageBytes = 128 * 1024;

/** If more than this waits for a client, @connections answers 429 ("client side buffer is full"). */
const maxBufferedBytes = 1024 * 1024;

export interface ConnectionLimits {
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
}

/** "Idle Connection Timeout: 10 minutes. Connection duration: 2 hours." */
export const defaultLimits: ConnectionLimits = {
  idleTimeoutMs: 10 * 60_000,
  lifetimeMs: 2 * 60 * 60_000,
};

export interface ConnectionOptions {
  readonly gateway: Pick<Gateway, 'clock' | 'meter' | 'faults' | 'now'>;
  readonly socket: WebSocket;
  /** The TCP socket below `socket`. `ws` does not show the sizes of frames, so they are read here. */
  readonly transport: Socket;
  readonly facts: ConnectionFacts;
  readonly authorizer: AuthorizerContext | undefined;
  readonly limits: ConnectionLimits;
  readonly events: ConnectionEvents;
}

export interface ConnectionEvents {
  message(text: string): void;
  /** Called once, when the connection is over for both sides. */
  closed(ending: Ending): void;
}

/** One live connection: its limits, its metering and its end. */
export class WebSocketConnection {
  readonly facts: ConnectionFacts;
  readonly authorizer: AuthorizerContext | undefined;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #now: () => number;
  readonly #idleTimeoutMs: number;
  readonly #cancelLifetime: () => void;
  readonly #cancelCut: () => void;
  readonly #outbound: OutboundQueue;
  #cancelIdle: () => void = () => undefined;
  #cancelMinute: () => void = () => undefined;
  #ending: Ending | undefined;
  #received = 0;
  /** When the last message in either direction was. */
  lastActiveAt: number;

  constructor({ gateway, socket, transport, facts, authorizer, limits, events }: ConnectionOptions) {
    this.facts = facts;
    this.authorizer = authorizer;
    this.#socket = socket;
    this.#clock = gateway.clock;
    this.#meter = gateway.meter;
    this.#now = gateway.now;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.lastActiveAt = gateway.now();
    this.#cancelLifetime = gateway.clock.after(limits.lifetimeMs, () => {
      this.close(goingAway);
    });
    this.#outbound = new OutboundQueue(gateway.faults, (text) => {
      socket.send(text);
    });
    this.#cancelCut = gateway.faults.cutLater(() => {
      transport.destroy();
    });
    this.#active();
    this.#countMinute();
    this.#listen(transport, events);
  }

  /** Sends one text message. `full`: nothing was sent, since the client has stopped reading. */
  send(text: string): 'sent' | 'gone' | 'full' {
    if (this.isOver()) return 'gone';
    if (this.#socket.bufferedAmount > maxBufferedBytes || this.#outbound.send(text) === 'full') return 'full';
    this.#meterMessage(Buffer.byteLength(text));
    this.#active();
    return 'sent';
  }

  /** `$disconnect` gets the first reason; later ones change nothing. */
  close(ending: Ending): void {
    this.#ending ??= ending;
    this.#socket.close(ending.code, ending.reason);
  }

  /** For a client that does not answer the closing handshake when the cloud shuts down. */
  terminate(): void {
    this.#socket.terminate();
  }

  isOver(): boolean {
    return this.#ending !== undefined || this.#socket.readyState !== this.#socket.OPEN;
  }

  #listen(transport: Socket, events: ConnectionEvents): void {
    const frames = new FrameLimit(maxFrameBytes, () => {
      this.close({ code: 1009, reason: '' });
    });
    // Ahead of the listener of ws. Otherwise ws would emit a message before its frame is refused.
    transport.prependListener('data', (chunk: Buffer) => {
      frames.push(chunk);
    });
    this.#socket.on('message', (data, isBinary) => {
      this.#received += 1;
      if (!frames.admits(this.#received) || this.#refusesMessages()) return;
      // Base64 text is the documented way to send bytes (websocket-api-develop-binary-media-types).
      if (isBinary) {
        this.close({ code: 1003, reason: '' });
        return;
      }
      const text = toBuffer(data);
      this.#meterMessage(text.length);
      this.#active();
      events.message(text.toString());
    });
    this.#socket.on('error', (error) => {
      this.#ending ??= { code: closeCodeOf(error), reason: '' };
    });
    this.#socket.once('close', (code, reason) => {
      this.#cancelIdle();
      this.#cancelLifetime();
      this.#cancelMinute();
      this.#cancelCut();
      this.#outbound.close();
      this.#ending ??= { code, reason: reason.toString() };
      events.closed(this.#ending);
    });
  }

  /** A frame above the limit ends the connection. Whole messages that came before it are still served. */
  #refusesMessages(): boolean {
    return this.#ending !== undefined && this.#ending.code !== 1009;
  }

  /** Every message in either direction restarts the idle timeout. Control frames do not. */
  #active(): void {
    this.lastActiveAt = this.#now();
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.after(this.#idleTimeoutMs, () => {
      this.close(goingAway);
    });
  }

  /** Metered in 32 KB increments, in both directions (https://aws.amazon.com/api-gateway/pricing/). */
  #meterMessage(bytes: number): void {
    this.#meter.count('websocket.messages', Math.max(1, Math.ceil(bytes / maxFrameBytes)));
  }

  #countMinute(): void {
    this.#meter.count('websocket.connectionMinutes');
    this.#cancelMinute = this.#clock.after(60_000, () => {
      this.#countMinute();
    });
  }
}

/** How the idle timeout, the lifetime and a shutdown end a connection. Captured from API Gateway at 10 minutes. */
export const goingAway: Ending = { code: 1001, reason: 'Going away' };

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** The close code that ws has sent for a mistake of the client. The event of ws does not name it. */
function closeCodeOf(error: Error): number {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'WS_ERR_INVALID_UTF8') return 1007;
  return code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 1009 : 1002;
}
