import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** A client should send nothing before its handshake is answered. Some send their first frames. */
const maxEarlyBytes = 128 * 1024;

/**
 * The socket of a handshake while functions decide on it. Only reading shows that the client went away. Early bytes are
 * kept for the connection.
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

  /** Stops watching. Gives the socket and the early bytes to the next owner. */
  release(): { readonly socket: Socket; readonly head: Buffer; readonly hasLeft: boolean } {
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onGone).off('close', this.#onGone);
    // The error listener stays, so a late error is handled. A close follows it, which the next owner sees.
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

/** Answers a handshake with an HTTP status and ends the socket. */
export function refuseUpgrade(
  socket: Socket,
  status: number,
  /** Goes into the body. A `message` takes the place of API Gateway's words. */
  fields: Readonly<Record<string, string>> = {},
): void {
  const reason = STATUS_CODES[status] ?? 'Unknown';
  const body = JSON.stringify({ message: MESSAGES[status] ?? reason, ...fields });
  const lines = [
    `HTTP/1.1 ${String(status)} ${reason}`,
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
  ];
  // The client may be gone already.
  socket.on('error', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroySoon());
}

/** The words of API Gateway, where they differ from the reason phrase of HTTP. */
const MESSAGES: Readonly<Record<number, string>> = {
  500: 'Internal server error',
  502: 'Internal server error',
  504: 'Endpoint request timed out',
};
