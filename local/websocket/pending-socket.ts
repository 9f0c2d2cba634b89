import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What a client may say before it has been answered; a well-behaved one says nothing. */
const maxEarlyBytes = 128 * 1024;

/**
 * The socket of a handshake that functions still decide on. Reading it is the only way to notice that the client went
 * away; what comes early is kept for the connection.
 */
export class PendingSocket {
  readonly #socket: Socket;
  readonly #early: Buffer[];
  #earlyBytes: number;
  #hasLeft = false;

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#early = [head];
    this.#earlyBytes = head.length;
    socket
      .on('data', this.#onData)
      .on('end', this.#onGone)
      .on('close', this.#onGone)
      .on('error', this.#onGone);
  }

  /** Ends the watch and hands the socket on, with everything it has said so far. */
  release(): { readonly socket: Socket; readonly head: Buffer; readonly hasLeft: boolean } {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onGone).off('close', this.#onGone);
    // The listener for errors stays: an error after this is followed by a close, which the next owner sees.
    return { socket, head: Buffer.concat(this.#early), hasLeft: this.#hasLeft };
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > maxEarlyBytes) this.#socket.destroy();
  };

  readonly #onGone = (): void => {
    this.#hasLeft = true;
  };
}

/** Answers a handshake with an HTTP status and ends its socket. */
export function refuseUpgrade(
  socket: Socket,
  status: number,
  ids?: { readonly connectionId: string; readonly requestId: string },
): void {
  const reason = STATUS_CODES[status] ?? 'Unknown';
  const body = JSON.stringify({ message: MESSAGES[status] ?? reason, ...ids });
  const lines = [
    `HTTP/1.1 ${String(status)} ${reason}`,
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
  ];
  // The client may be gone, which is the end of it too.
  socket.on('error', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroySoon());
}

/** In API Gateway's words where they differ from HTTP's. */
const MESSAGES: Readonly<Record<number, string>> = {
  500: 'Internal server error',
  502: 'Internal server error',
  504: 'Endpoint request timed out',
};
