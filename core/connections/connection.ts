import { type Socket } from 'node:net';
import { type Answer, readAnswer } from './answer.ts';

/** One request and whoever waits for its answer. */
export interface Exchange {
  readonly head: string;
  readonly body: Uint8Array;
  /** Called once with the answer, or with the error that came instead. */
  readonly settle: (answer: Answer | Error) => void;
}

/** Told about a connection's life: it is free for the next exchange, or it is over. */
export interface ConnectionOwner {
  freed(connection: PosterConnection): void;
  ended(connection: PosterConnection): void;
  /** Nobody has used it for `timeoutMs`; whether it stays is the owner's to say. */
  idled(connection: PosterConnection): void;
}

/** A body up to this size is copied behind its head, so that both leave in one write and one TLS record. */
const maxCopiedBytes = 16 * 1024;

/**
 * One keep-alive HTTP/1.1 connection that carries one exchange at a time. It never sends anything twice: what fails
 * here is retried by the SDK's retry step, which counts attempts and waits between them.
 */
export class PosterConnection {
  /** When the last exchange ended, by the owner's clock. */
  idleSince = 0;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #exchange: Exchange | undefined;
  #received: Buffer | undefined;
  #isReady = false;

  /**
   * @param readyEvent `connect`, or `secureConnect`, which comes only after the certificate was verified: nothing is
   * written before it, so that no payload reaches a peer that is not who it claims to be.
   * @param timeoutMs silence after which a request is given up, whether it connects, writes or waits.
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
      if (this.#exchange) this.close(transportError('ETIMEDOUT', `No answer within ${timeoutMs} ms.`));
      else this.#owner.idled(this);
      socket.setTimeout(timeoutMs); // It fires once for each silence, and the next one counts as well.
    });
    socket.on('error', (error) => this.close(error));
    socket.on('close', () =>
      this.close(transportError('ECONNRESET', 'The connection closed before the answer.')),
    );
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#socket.ref();
    if (this.#isReady) this.#write(exchange);
  }

  /** False once the peer has said goodbye, even where `close` has not been emitted yet. */
  isUsable(): boolean {
    return this.#socket.writable && this.#socket.readable;
  }

  /** Ends the connection; the exchange it carried, if any, gets the error. */
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
    // Nobody asked: a 408 before the peer closes an idle connection, or its end. Either way it is no use any more.
    if (!exchange) {
      this.close(transportError('ECONNRESET', 'The peer ended an idle connection.'));
      return;
    }
    if (chunk) this.#received = this.#received ? Buffer.concat([this.#received, chunk]) : chunk;
    const answer = this.#received ? tryRead(this.#received, ended) : 'incomplete';
    if (answer instanceof Error) {
      this.close(answer);
      return;
    }
    if (answer === 'incomplete') {
      if (ended) this.close(transportError('ECONNRESET', 'The peer closed before its answer was whole.'));
      return;
    }
    this.#exchange = undefined;
    this.#received = undefined;
    exchange.settle(answer);
    // An answer that came before the request was out (413) leaves the rest of that request in the way of the next.
    const isReusable = answer.keepsConnection && !ended && this.#socket.writableLength === 0;
    if (!isReusable) {
      this.close(transportError('ECONNRESET', 'The connection was not kept.'));
      return;
    }
    this.#socket.unref(); // An idle connection must not keep a script alive.
    this.#owner.freed(this);
  }
}

/** An error with the code under which the SDK's retry step knows a transient fault of the network. */
function transportError(code: 'ECONNRESET' | 'ETIMEDOUT', message: string): Error {
  return Object.assign(new Error(message), { code });
}

function tryRead(bytes: Buffer, ended: boolean): Answer | 'incomplete' | Error {
  try {
    return readAnswer(bytes, ended);
  } catch (error) {
    return error instanceof Error ? error : new Error('The answer could not be read.', { cause: error });
  }
}
