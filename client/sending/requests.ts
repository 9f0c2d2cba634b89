import { type Clock, createAlarm } from '../clock.ts';
import { type ClientErrorCode, disconnected, readError, SwitchboardError } from '../errors.ts';
import type { Frame } from '../frames.ts';
import type { Connection } from '../connection/connection.ts';

/** The answer to a frame. A refusal is an expected outcome; only the client's `send` throws it. */
export type Answer =
  | { readonly content: unknown; readonly error?: undefined }
  | { readonly error: SwitchboardError; readonly content?: undefined };

/** A frame that expects an answer. */
export interface Request {
  readonly id: string;
  readonly text: string;
  readonly answered: Promise<Answer>;
  /** Sets the answer. Only the first call counts. */
  readonly settle: (answer: Answer) => void;
  /** Settles the request with this code after the time, unless an answer comes first. */
  readonly expire: (ms: number, code: ClientErrorCode) => void;
}

/** Carries a request to the server: a connection or HTTP. */
export type Carrier = Pick<Connection, 'isEnded'> & { readonly send: (request: Request) => void };

export interface Requests {
  readonly make: (type: string, content: unknown) => Request;
  readonly transmit: (request: Request, carrier: Carrier) => void;
  /** Asks again when the server says so: after a reconnect, the topics of a client may exceed its rate. */
  readonly ask: (
    connection: Connection,
    type: string,
    content?: unknown,
    timeoutMs?: number,
  ) => Promise<Answer>;
  /** Settles the request that a frame answers, and returns the request. */
  readonly answer: (frame: Frame) => Request | undefined;
  /** Settles the requests that wait on this connection with the error. Without a connection, settles all. */
  readonly drop: (error: SwitchboardError, connection?: Connection) => void;
}

export function createRequests(clock: Clock, timeoutMs: number): Requests {
  const inFlight = new Map<string, { readonly request: Request; readonly carrier: Carrier }>();
  // Ids must be unique among all clients of a user, not secret. `crypto.randomUUID` is missing on pages without TLS.
  const prefix = clock.random();
  let count = 0;

  function make(type: string, content: unknown): Request {
    const id = `${prefix}-${++count}`;
    const alarm = createAlarm(clock);
    let resolve: (answer: Answer) => void;
    const request: Request = {
      id,
      text: JSON.stringify({ type, content, id }),
      answered: new Promise((give) => (resolve = give)),
      settle(answer) {
        alarm.stop();
        inFlight.delete(id);
        resolve(answer);
      },
      expire(ms, code) {
        alarm.set(ms, () => request.settle({ error: new SwitchboardError(code) }));
      },
    };
    return request;
  }

  function transmit(request: Request, carrier: Carrier, ms = timeoutMs): void {
    if (carrier.isEnded) {
      request.settle({ error: disconnected() });
      return;
    }
    inFlight.set(request.id, { request, carrier });
    request.expire(ms, 'timeout');
    carrier.send(request);
  }

  return {
    make,
    transmit,
    async ask(connection, type, content, timeoutMs) {
      for (;;) {
        const request = make(type, content);
        transmit(request, connection, timeoutMs);
        const answer = await request.answered;
        const ms = answer.error?.retryAfterMs;
        if (!ms) return answer;
        await new Promise<void>((go) => clock.after(ms, go));
      }
    },
    answer({ id = '', type, content }) {
      const request = inFlight.get(id)?.request;
      request?.settle(type === 'error' ? { error: readError(content) } : { content });
      return request;
    },
    drop(error, connection) {
      for (const { request, carrier } of inFlight.values()) {
        if (!connection || carrier === connection) request.settle({ error });
      }
    },
  };
}
