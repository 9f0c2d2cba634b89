import type { Clock } from '../clock.ts';
import { disconnected, SwitchboardError } from '../errors.ts';
import { type Frame, readFrame } from '../frames.ts';

interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly message?: string;
}

/** The part of a WebSocket that the client uses. Browsers and the package `ws` provide it. */
export interface SocketLike {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(
    type: 'open' | 'message' | 'error' | 'close',
    listener: (event: SocketEvent) => void,
  ): void;
}

export type SocketClass = new (url: string) => SocketLike;

/** One connection, from its handshake to its end. */
export interface Connection {
  /** Resolves when the handshake ends: to `undefined` if it succeeded, else to the reason. */
  readonly opened: Promise<SwitchboardError | undefined>;
  readonly isEnded: boolean;
  /** When the last message came or the last probe was sent, in epoch milliseconds. */
  heardAt: number;
  readonly send: (request: { readonly text: string }) => void;
  /** Ends the connection at once, without waiting for the network. Resolves when the socket is closed too. */
  readonly end: (reason?: SwitchboardError) => Promise<void>;
}

/** `onEnd` is called once, and only if the connection had opened. */
export interface ConnectionSettings {
  readonly WebSocket: SocketClass;
  readonly clock: Clock;
  readonly onFrame: (frame: Frame, connection: Connection) => void;
  readonly onEnd: (connection: Connection, reason: SwitchboardError) => void;
}

export function openConnection(
  url: string,
  { WebSocket, clock, onFrame, onEnd }: ConnectionSettings,
): Connection {
  const socket = new WebSocket(url);
  let isOpen = false;
  let failure = '';
  let settle: (reason?: SwitchboardError) => void;
  let close: () => void;
  const closed = new Promise<void>((resolve) => (close = resolve));

  const connection = {
    opened: new Promise<SwitchboardError | undefined>((resolve) => (settle = resolve)),
    isEnded: false,
    heardAt: 0,
    send: ({ text }: { readonly text: string }) => socket.send(text),
    async end(reason = disconnected()) {
      finish(reason);
      socket.close(1000);
      await closed;
    },
  };

  function finish(reason: SwitchboardError): void {
    if (connection.isEnded) return;
    connection.isEnded = true;
    settle(reason);
    if (isOpen) onEnd(connection, reason);
  }

  socket.addEventListener('open', () => {
    isOpen = true;
    connection.heardAt = clock.now();
    settle();
  });
  socket.addEventListener('message', ({ data }) => {
    if (connection.isEnded) return;
    connection.heardAt = clock.now();
    const frame = readFrame(data);
    if (frame) onFrame(frame, connection);
  });
  socket.addEventListener('error', ({ message = '' }) => {
    failure = message;
  });
  socket.addEventListener('close', ({ code }) => {
    close();
    finish(isOpen ? disconnected(`code ${code}`) : refusal(failure));
  });
  return connection;
}

/** Only `ws` reports the status, in this text. A browser reports just the failure (WHATWG WebSockets, feedback). */
function refusal(failure: string): SwitchboardError {
  const code = /response: 40[13]/.exec(failure) ? 'forbidden' : 'refused';
  return new SwitchboardError(code, failure);
}
