import { type Answer } from './answer.ts';
import { type Pool } from './pool.ts';

/** How a first attempt ended that was made before the SDK's stack was entered. */
export type FirstAttempt = Answer | Error;

/** Options of `client.send` as the SDK hands them through to its request handler. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal;
  /** Answers the first request instead of the network; taken from the list once used. */
  readonly firstAttempts: FirstAttempt[];
}

/** The parts of the SDK's request that a `@connections` call uses. */
interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * The SDK's request handler: what the SDK signs goes out on the poster's connections.
 * Where the poster has already made the first attempt itself, the SDK's first request gets that attempt's answer (or
 * error), unsent. So the SDK's stack treats it as its own: reads the error, corrects the clock, counts it as attempt
 * 1, waits, and sends the next attempt through here.
 */
export function createRequestHandler(pool: Pool) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: SdkRequest, options: Partial<SendOptions> = {}) {
      const first = options.firstAttempts?.shift();
      if (first instanceof Error) throw first;
      const response = first ?? (await pool.send(requestHead(request), bodyOf(request), options.abortSignal));
      return { response };
    },
    destroy: () => pool.close(),
    // The SDK's interface asks for these two; there is nothing to configure from outside.
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

/** A request line and headers as they go on the wire (RFC 9112, 3 and 5), refusing what would split them. */
export function requestHead({ method, path, headers }: SdkRequest): string {
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  if (head.split('\r\n').length !== Object.keys(headers).length + 2 || /[^\t\r\n -~\x80-\xff]/.test(head)) {
    throw new Error('A request header holds a character that no header can.');
  }
  return `${head}\r\n`;
}

function bodyOf({ body }: SdkRequest): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  throw new Error('The SDK sends bodies of @connections as bytes.');
}
