import { once } from 'node:events';
import WebSocket from 'ws';
import { signToken } from '../cli/sign-token.ts';

/** One of the two servers, with the address for its users and a way to publish. */
export interface Peer {
  readonly name: string;
  readonly webSocketUrl: string;
  /** Signs the tokens of the users. */
  readonly secret: string;
  readonly publish: (body: string) => Promise<Response>;
}

/** The figures of one round on one peer. Latencies are in milliseconds. */
export interface Round {
  readonly connectsPerSecond: number;
  readonly frames: readonly number[];
  readonly publishes: readonly number[];
  readonly durablePublishes: readonly number[];
}

/** The number of simultaneous handshakes. More would measure the queue in front of the server. */
const handshakesInFlight = 16;
/** Sampling ends at the first of the two limits. A latency needs many samples, but the run must end. */
const maxSamples = 400;
const maxSamplingMs = 1500;

/** Connects `clients` users. Then measures frames and publishes one at a time with one more user. */
export async function measureRound(peer: Peer, clients: number): Promise<Round> {
  const urls = await Promise.all(Array.from({ length: clients }, (_, user) => urlOf(peer, user)));
  const sockets: WebSocket[] = [];
  const startedAt = performance.now();
  const waiting = [...urls];
  await Promise.all(
    Array.from({ length: handshakesInFlight }, async () => {
      for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) sockets.push(await connect(url));
    }),
  );
  const connectsPerSecond = clients / ((performance.now() - startedAt) / 1000);

  const user = await connect(await urlOf(peer, clients));
  const frames = await sample((id) => roundTrip(user, id));
  const to = `user:member:bench-${clients}`;
  const publishes = await sample((id) => publishToReceipt(peer, user, { to }, id));
  const durablePublishes = await sample((id) => publishToReceipt(peer, user, { to, durable: true }, id));
  await Promise.all([user, ...sockets].map(disconnect));
  return { connectsPerSecond, frames, publishes, durablePublishes };
}

async function urlOf(peer: Peer, user: number): Promise<string> {
  const identity = { user: `bench-${user}`, type: 'member', tenant: 'default', topics: [] };
  return `${peer.webSocketUrl}?token=${await signToken(peer.secret, { ...identity, ttlSeconds: 3600 })}`;
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

async function disconnect(socket: WebSocket): Promise<void> {
  const closed = once(socket, 'close');
  socket.close(1000);
  await closed;
}

async function sample(measureMs: (id: string) => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  const endsAt = performance.now() + maxSamplingMs;
  while (samples.length < maxSamples && performance.now() < endsAt) {
    samples.push(await measureMs(`s${samples.length}`));
  }
  return samples;
}

async function roundTrip(socket: WebSocket, id: string): Promise<number> {
  const answer = nextText(socket);
  const startedAt = performance.now();
  socket.send(JSON.stringify({ type: 'ping', id }));
  expectId(await answer, id);
  return performance.now() - startedAt;
}

/** Measures from the call to the user's frame. Also waits for the call's answer, so that calls do not pile up. */
async function publishToReceipt(
  peer: Peer,
  socket: WebSocket,
  options: { readonly to: string; readonly durable?: boolean },
  id: string,
): Promise<number> {
  const frame = nextText(socket);
  const startedAt = performance.now();
  const answer = peer.publish(
    JSON.stringify({ ...options, type: 'bench', content: { id, text: 'x'.repeat(200) } }),
  );
  const arrival = frame.then(() => performance.now() - startedAt);
  const { status } = await answer;
  if (status !== 200) throw new Error(`${peer.name} answered a publish with ${status}.`);
  expectId(await frame, id);
  return arrival;
}

async function nextText(socket: WebSocket): Promise<string> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data.toString();
}

function expectId(text: string, id: string): void {
  if (!text.includes(`"id":"${id}"`)) throw new Error(`Expected a frame with id ${id}, got ${text}`);
}
