import { type Socket } from 'node:net';
import { type HttpResponse, readResponse } from './http-response.ts';

/** One request, and the function that takes its response. */
export interface Exchange {
  readonly head: string;
  readonly body: Uint8Array;
  /** Called once with the response, or with the error that came instead. */
  readonly settle: (response: HttpResponse | Error) => void;
}

/** Learns when a connection is free for the next exchange, and when it is closed. */
export interface ConnectionOwner {
  freed(connection: HttpConnection): void;
  ended(connection: HttpConnection): void;
  /** The connection was not used for `timeoutMs`. The owner decides whether it stays. */
  idled(connection: HttpConnection): void;
}

/** A body up to this size is copied behind its head, so that one write and one TLS record carry both. */
const maxCopiedBytes = 16 * 1024;

/**
 * One keep-alive HTTP/1.1 connection. It carries one exchange at a time, and never sends a request twice: `request.ts`
 * counts the retries and waits before each.
 */
export class HttpConnection {
  /** When the last exchange ended, by the owner's clock. */
  idleSince = 0;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #exchange: Exchange | undefined;
  #received: Buffer | undefined;
  #isReady = false;

  /**
   * @param readyEvent `connect`, or `secureConnect`, which comes only after the certificate was verified. Nothing is
   * written before it, so no payload reaches a peer with a wrong certificate.
   * @param timeoutMs a request fails after this much silence, whether it connects, writes or waits.
   */
  constructor(socket: Socket, readyEvent: string, timeoutMs: number, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.setNoDelay(true);
    socket.setTimeout(timeoutMs);
    socket.once(readyEvent, () => this.#becomeReady());
    socket.on('data', (chunk: Buffer) => this.#read(chunk, false));
    socket.on('end', () => this.#read(undefined, true));
    socket.on('timeout', () => {
      if (this.#exchange) this.close(transportError('ETIMEDOUT', `No response within ${timeoutMs} ms.`));
      else this.#owner.idled(this);
      socket.setTimeout(timeoutMs); // It fires once, so the next silence needs it again.
    });
    socket.on('error', (error) => this.close(error));
    socket.on('close', () =>
      this.close(transportError('ECONNRESET', 'The connection closed before the response.')),
    );
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#socket.ref();
    if (this.#isReady) this.#write(exchange);
  }

  /** False once the peer has closed its side, even if `close` has not been emitted yet. */
  isUsable(): boolean {
    return this.#socket.writable && this.#socket.readable;
  }

  /** Closes the connection. The exchange that it carries, if any, gets the error. */
  close(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#socket.destroy();
    this.#owner.ended(this);
    exchange?.settle(error);
  }

  #becomeReady(): void {
    this.#isReady = true;
    if (this.#exchange) this.#write(this.#exchange);
  }

  #write({ head, body }: Exchange): void {
    if (body.length > maxCopiedBytes) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
      return;
    }
    const bytes = Buffer.allocUnsafe(head.length + body.length);
    bytes.write(head, 'latin1');
    bytes.set(body, head.length);
    this.#socket.write(bytes);
  }

  #read(chunk: Buffer | undefined, ended: boolean): void {
    const exchange = this.#exchange;
    // Without a request: the peer closes an idle connection, perhaps after a 408.
    if (!exchange) {
      this.close(transportError('ECONNRESET', 'The peer ended an idle connection.'));
      return;
    }
    if (chunk) this.#received = this.#received ? Buffer.concat([this.#received, chunk]) : chunk;
    const response = this.#received ? tryRead(this.#received, ended) : 'incomplete';
    if (response instanceof Error) {
      this.close(response);
      return;
    }
    if (response === 'incomplete') {
      if (ended)
        this.close(transportError('ECONNRESET', 'The peer closed before its response was complete.'));
      return;
    }
    this.#exchange = undefined;
    this.#received = undefined;
    exchange.settle(response);
    // After an early response, such as a 413, the rest of the request would go out in front of the next one.
    const isReusable = response.keepsConnection && !ended && this.#socket.writableLength === 0;
    if (!isReusable) {
      this.close(transportError('ECONNRESET', 'The connection was not kept.'));
      return;
    }
    this.#socket.unref(); // An idle connection must not keep a script alive.
    this.#owner.freed(this);
  }
}

/** An error with a code, as the system's own errors have one. */
function transportError(code: 'ECONNRESET' | 'ETIMEDOUT', message: string): Error {
  return Object.assign(new Error(message), { code });
}

function tryRead(bytes: Buffer, ended: boolean): HttpResponse | 'incomplete' | Error {
  try {
    return readResponse(bytes, ended);
  } catch (error) {
    return error instanceof Error ? error : new Error('The response could not be read.', { cause: error });
  }
}
