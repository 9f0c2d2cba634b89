import { type Clock, createAlarm } from './clock.ts';
import { type ClientErrorCode, disconnected, readError, SwitchboardError } from './errors.ts';
import type { Frame } from './frames.ts';
import type { Connection } from './connection.ts';

/** How a frame was answered. A refusal is an expected outcome: only `send` of the client throws it. */
export type Answer = { readonly content: unknown } | { readonly error: SwitchboardError };

/** A frame that wants an answer, from its making to its answer. */
export interface Request {
  readonly id: string;
  readonly text: string;
  readonly answered: Promise<Answer>;
  /** Gives the answer; only the first counts. */
  readonly settle: (answer: Answer) => void;
  /** Settles it with an error of this code, unless it is answered before. */
  readonly expire: (ms: number, code: ClientErrorCode) => void;
}

/** What takes a request to the server: a connection, or HTTP. */
export type Carrier = Pick<Connection, 'isEnded'> & { readonly send: (request: Request) => void };

export interface Requests {
  readonly make: (type: string, content: unknown) => Request;
  readonly transmit: (request: Request, carrier: Carrier) => void;
  readonly ask: (
    connection: Connection,
    type: string,
    content?: unknown,
    timeoutMs?: number,
  ) => Promise<Answer>;
  /** Settles the request that a frame answers, and returns it. */
  readonly answer: (frame: Frame) => Request | undefined;
  /** The connection is gone, or all of them: what waits for an answer on it is settled with the error. */
  readonly drop: (error: SwitchboardError, connection?: Connection) => void;
}

export function createRequests(clock: Clock, timeoutMs: number): Requests {
  const inFlight = new Map<string, { readonly request: Request; readonly carrier: Carrier }>();
  // Ids are unique among all clients of a user, not secret. `crypto.randomUUID` is missing on pages without TLS.
  const prefix = clock.random().toString(36).slice(2, 12);
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
    ask(connection, type, content, ms) {
      const request = make(type, content);
      transmit(request, connection, ms);
      return request.answered;
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
