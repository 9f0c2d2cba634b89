import { type Clock, systemClock } from './clock.ts';
import type { SocketClass } from './connection.ts';
import type { Page } from './page-events.ts';
import type { TokenSource } from './tokens.ts';

export interface Options {
  /** The address of the WebSocket API with its stage, `wss://…/live`; `connect` throws a TypeError where it is none. */
  readonly url: string;
  /** A JWT; better a function that gets a new one, for a session outlives no token. */
  readonly token: TokenSource;
  /** The address of the HTTP API without a slash at its end, for frames above 32 KB; else these are `too_large`. */
  readonly httpUrl?: string;
  /** The WebSocket class. Without it the global one; Node 20 has none, there give that of the package `ws`. */
  readonly WebSocket?: SocketClass;
  /** Whether the durable messages to the user, its type and everyone are kept gap-free. Without it they are. */
  readonly durable?: boolean;
  /** How long an answer, or a handshake, may take. 30 s without it: API Gateway gives a function 29 s. */
  readonly answerTimeoutMs?: number;
  /** How many frames wait for a connection; 100 without it. More are refused as `queue_full`. */
  readonly queueLimit?: number;
  /** How long a frame waits for a connection; 60 s without it. After that it is refused as `queue_expired`. */
  readonly queueMaxAgeMs?: number;
  /** How far a `for await` loop may fall behind, in messages; 1,000 without it. Beyond that it throws `overflow`. */
  readonly bufferLimit?: number;
  /** When the next connection is made, less up to 1/22 of it; 1 h 50 min without it: at 2 h API Gateway cuts. */
  readonly renewAfterMs?: number;
  /** After how long a silence in both directions it asks what it missed; 9 min without it: at 10 min API Gateway cuts. */
  readonly heartbeatAfterMs?: number;
}

/** What the client uses of the machine it runs on. Tests of the client give their own. */
export interface Machine {
  readonly clock: Clock;
  readonly page: Page;
}

export type Settings = Required<Omit<Options, 'httpUrl'>> & Pick<Options, 'httpUrl'> & Machine;

const minuteMs = 60_000;

/** The options with their defaults. */
export function readOptions(options: Options & Partial<Machine>): Settings {
  const page = globalThis as unknown as Page & { readonly WebSocket: SocketClass };
  const settings: Record<string, unknown> = {
    WebSocket: page.WebSocket,
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
  // An option that is there but undefined is none.
  for (const [name, value] of Object.entries(options)) settings[name] = value ?? settings[name];
  return settings as unknown as Settings;
}
