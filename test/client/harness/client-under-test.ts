import { afterEach } from 'vitest';
import WebSocket from 'ws';
import { type Client, type Options, type Status, SwitchboardError } from '../../../client/index.ts';
import type { Machine } from '../../../client/options.ts';
import { Arrivals } from './arrivals.ts';
import { connectOn } from './connect-on.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeServer } from './fake-server.ts';

/** A client with its clock, its server, and the events that it emits. */
export interface Stage {
  readonly server: FakeServer;
  readonly clock: FakeClock;
  readonly client: Client;
  readonly statuses: Arrivals<Status>;
  readonly errors: Arrivals<SwitchboardError>;
  /** Takes the next status with this state, and waits for it if necessary. */
  readonly become: <State extends Status['state']>(
    state: State,
  ) => Promise<Extract<Status, { state: State }>>;
}

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function startServer(): Promise<FakeServer> {
  const server = await FakeServer.start();
  cleanups.push(() => server.close());
  return server;
}

/** A client with its own server. `prepare` may script the server before the client connects. */
export async function stage(
  options: Partial<Options & Machine> = {},
  prepare: (server: FakeServer) => void = () => undefined,
): Promise<Stage> {
  const server = await startServer();
  prepare(server);
  const clock = new FakeClock();
  const client = connectOn({ url: server.url, token: 'ticket', WebSocket, clock, page: {}, ...options });
  cleanups.push(() => client.close());
  const statuses = new Arrivals<Status>();
  const errors = new Arrivals<SwitchboardError>();
  client.on('status', statuses.push);
  client.on('error', errors.push);
  const become: Stage['become'] = async (state) => {
    const isWanted = (status: Status): boolean => status.state === state;
    return (await statuses.next(isWanted)) as Extract<Status, { state: typeof state }>;
  };
  return { server, clock, client, statuses, errors, become };
}

/** The same, once the client is open. */
export async function openStage(
  options: Partial<Options & Machine> = {},
  prepare?: (server: FakeServer) => void,
) {
  const opened = await stage(options, prepare);
  const connection = await opened.server.connections.next();
  await opened.become('open');
  return { ...opened, connection };
}

/** A JWT with this lifetime by the fake clock. No test verifies the signature. */
export function jwt(lifetimeSeconds: number, serial = 1, madeAfterSeconds?: number): string {
  const nowSeconds = new FakeClock().now() / 1000;
  const exp = nowSeconds + lifetimeSeconds;
  const iat = madeAfterSeconds === undefined ? undefined : nowSeconds + madeAfterSeconds;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part({ sub: '42', name: 'Zoë ÿþ', exp, iat, serial })}.c2lnbmF0dXJl`;
}

/** The error with which a promise rejects. */
export async function failure(promise: Promise<unknown>): Promise<SwitchboardError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof SwitchboardError) return outcome;
  throw new Error('It was not rejected with a SwitchboardError.', { cause: outcome });
}
