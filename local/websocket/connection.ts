import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import { Outlet } from '../faults/outbound-queue.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Meter } from '../meter.ts';
import type { AuthorizerContext, ConnectionFacts } from './context.ts';
import type { Ending } from './disconnect-event.ts';
import { FrameLimit } from './frames.ts';

/** From the table of quotas, apigateway-execution-service-websocket-limits-table. */
export const maxFrameBytes = 32 * 1024;
export const maxMessageBytes = 128 * 1024;

/** How much may wait for a client that does not read before @connections answers 429 ("client side buffer is full"). */
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

export interface ConnectionEvents {
  message(text: string): void;
  /** Once, when the connection is over for both sides. */
  closed(ending: Ending): void;
}

/** One live connection: its limits, its meter, and the one way in which it ends. */
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
  readonly #outlet: Outlet;
  #cancelIdle: () => void = () => undefined;
  #cancelMinute: () => void = () => undefined;
  #ending: Ending | undefined;
  #received = 0;
  /** When the last message in either direction was. */
  lastActiveAt: number;

  constructor(
    socket: WebSocket,
    transport: Socket,
    facts: ConnectionFacts,
    authorizer: AuthorizerContext | undefined,
    limits: ConnectionLimits,
    parts: Pick<Gateway, 'clock' | 'meter' | 'faults' | 'now'>,
    events: ConnectionEvents,
  ) {
    this.facts = facts;
    this.authorizer = authorizer;
    this.#socket = socket;
    this.#clock = parts.clock;
    this.#meter = parts.meter;
    this.#now = parts.now;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.lastActiveAt = parts.now();
    this.#cancelLifetime = parts.clock.after(limits.lifetimeMs, () => {
      this.close(goingAway);
    });
    this.#outlet = new Outlet(parts.faults, (text) => {
      socket.send(text);
    });
    this.#cancelCut = parts.faults.cutLater(() => {
      transport.destroy();
    });
    this.#active();
    this.#countMinute();
    this.#listen(transport, events);
  }

  /** Sends one text message. `full`: the client has stopped reading, so nothing was sent. */
  send(text: string): 'sent' | 'gone' | 'full' {
    if (this.isOver()) return 'gone';
    if (this.#socket.bufferedAmount > maxBufferedBytes || this.#outlet.send(text) === 'full') return 'full';
    this.#meterMessage(Buffer.byteLength(text));
    this.#active();
    return 'sent';
  }

  /** The first reason to end a connection is the one that `$disconnect` is told. */
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
    // Before ws's own listener, so that a frame is refused before the message it belongs to is emitted.
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
      this.#outlet.close();
      this.#ending ??= { code, reason: reason.toString() };
      events.closed(this.#ending);
    });
  }

  /** A frame over the limit ends the connection, but whole messages that came before it still count. */
  #refusesMessages(): boolean {
    return this.#ending !== undefined && this.#ending.code !== 1009;
  }

  /** Any message either way, but no control frame, starts the idle timeout anew. */
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

/** The idle timeout, the lifetime, and the cloud that shuts down: as captured from API Gateway at 10 minutes. */
export const goingAway: Ending = { code: 1001, reason: 'Going away' };

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** The close code that ws has sent for an error of the client's, which its event does not name. */
function closeCodeOf(error: Error): number {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'WS_ERR_INVALID_UTF8') return 1007;
  return code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 1009 : 1002;
}
