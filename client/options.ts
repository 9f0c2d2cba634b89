import { type Clock, systemClock } from './clock.ts';
import type { SocketClass } from './connection/connection.ts';
import type { Page } from './connection/page-events.ts';
import type { TokenSource } from './connection/tokens.ts';

export interface Options {
  /** The address of the WebSocket API with its stage, `wss://…/live`. An invalid one makes `connect` throw. */
  readonly url: string;
  /** A JWT, or better a function that returns a new one: a session ends with its token. */
  readonly token: TokenSource;
  /** The name of the query parameter that carries the token: the setting of the stack. Default: `token`. */
  readonly tokenParameter?: string;
  /** The address of `POST /tickets`. With it each connection opens with a ticket, and no URL has the token. */
  readonly ticketUrl?: string;
  /** The address of the HTTP API, without a slash at its end. Without it frames above 32 KB fail as `too_large`. */
  readonly httpUrl?: string;
  /** The WebSocket class. Default: the global one. Node 20 has none, so pass the class of the package `ws` there. */
  readonly WebSocket?: SocketClass;
  /** Whether missed durable messages to the user, its type and everyone are recovered. Default: true. */
  readonly durable?: boolean;
  /** How long an answer or a handshake may take. Default: 30 s, because API Gateway gives a function 29 s. */
  readonly answerTimeoutMs?: number;
  /** How many frames may wait for a connection. Default: 100. More are rejected as `queue_full`. */
  readonly queueLimit?: number;
  /** How long a frame waits for a connection. Default: 60 s. Then it is rejected as `queue_expired`. */
  readonly queueMaxAgeMs?: number;
  /** How many messages a `for await` loop may be behind. Default: 1,000. Beyond that it throws `overflow`. */
  readonly bufferLimit?: number;
  /** The age at which the next connection is made, less up to 1/22. Default: 1 h 50 min. API Gateway cuts at 2 h. */
  readonly renewAfterMs?: number;
  /** The silence before a heartbeat. Default: 9 min. API Gateway cuts a connection after 10 silent minutes. */
  readonly heartbeatAfterMs?: number;
}

/** The parts of the machine that the client uses. Tests of the client pass their own. */
export interface Machine {
  readonly clock: Clock;
  readonly page: Page;
}

type Absent = 'httpUrl' | 'ticketUrl';

export type Settings = Required<Omit<Options, Absent>> & Pick<Options, Absent> & Machine;

const minuteMs = 60_000;

/** The options with their defaults. */
export function readOptions(options: Options & Partial<Machine>): Settings {
  const page = globalThis as unknown as Page & { readonly WebSocket: SocketClass };
  const settings: Record<string, unknown> = {
    WebSocket: page.WebSocket,
    tokenParameter: 'token',
    durable: true,
    answerTimeoutMs: 30_000,
    queueLimit: 100,
    queueMaxAgeMs: minuteMs,
    bufferLimit: 1000,
    renewAfterMs: 110 * minuteMs,
    heartbeatAfterMs: 9 * minuteMs,
    clock: systemClock,
    page,
  } satisfies Partial<Settings>;
  // An option that is `undefined` counts as left out.
  for (const [name, value] of Object.entries(options)) settings[name] = value ?? settings[name];
  return settings as unknown as Settings;
}
