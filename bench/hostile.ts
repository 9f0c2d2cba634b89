import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import WebSocket from 'ws';
import * as z from 'zod/mini';
import { readFlags, readWholeNumber, run, UsageError } from '../cli/command-line.ts';
import { signToken } from '../cli/sign-token.ts';
import { sendSigned } from '../publisher/signed-request.ts';
import { type CloudProcess, startCloudProcess, startServer } from '../scripts/server-process.ts';

const usage = `npm run bench -- hostile [--attack all] [--connections 40] [--rounds 4] [--seconds 5]

Compares the round trips of a tenant while it is alone with those while connections of another tenant send as much as
their limits allow. Every round measures both, one after the other. A bare ws server gets the attack of pings too: its
ratio tells what this machine can do.

  --attack NAME    pings · acks: recovers whose messages come in the ack · posts: recovers whose messages are posted ·
                   mixed: all of them · bare: pings, to the bare server · all: one after the other (default)
  --connections N  hostile connections, each of a user of its own (default 40)
  --rounds N       measured rounds, after one warm-up round (default 4)
  --seconds N      the time of each measurement (default 5)`;

const ping = '{"type":"ping"}';
const everyone = '"channels":[{"channel":"everyone","epoch":""}]';
const ack = `{"type":"recover","id":"r","content":{${everyone},"messagesIn":"ack"}}`;
const posts = `{"type":"recover","id":"r","content":{${everyone}}}`;

/** What each connection sends in turn. All make 20 units a second, the limit of a connection. */
const attacks: Readonly<Record<string, { readonly frames: readonly string[]; readonly pauseMs: number }>> = {
  bare: { frames: [ping], pauseMs: 50 },
  pings: { frames: [ping], pauseMs: 50 },
  acks: { frames: [ack], pauseMs: 250 },
  posts: { frames: [posts], pauseMs: 250 },
  mixed: { frames: [ping, ping, ping, ping, ping, ack, ping, ping, ping, ping, ping, posts], pauseMs: 83 },
};

/** A p99 needs some hundred round trips. Each client stays below its own limit. */
const quietClients = 5;
const pauseMs = 75;

const counts = z.object({ pongs: z.number(), acks: z.number(), posts: z.number(), refused: z.number() });

await run(async () => {
  const flags = readFlags(usage, {
    attack: { type: 'string', default: 'all' },
    connections: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '5' },
  });
  const chosen = flags.attack === 'all' ? Object.keys(attacks) : [flags.attack];
  if (attacks[chosen[0] ?? ''] === undefined)
    throw new UsageError(`There is no attack ${JSON.stringify(flags.attack)}.`);
  const size = {
    connections: readWholeNumber('connections', flags.connections, 1, 1000),
    rounds: readWholeNumber('rounds', flags.rounds, 1, 20),
    seconds: readWholeNumber('seconds', flags.seconds, 1, 60),
  };
  const cloud = await startCloudProcess();
  const bare = await startServer(new URL('./local-bare-server.ts', import.meta.url), cloud.secret);
  try {
    await store(cloud);
    for (const name of chosen) {
      const server = name === 'bare' ? { ...cloud, url: bare.url } : cloud;
      await measure(name, server, size);
    }
  } finally {
    cloud.close();
    bare.close();
  }
});

type Size = Readonly<Record<'connections' | 'rounds' | 'seconds', number>>;

/** 40 messages of 2 KB: as many as one recover posts. */
async function store({ url }: CloudProcess): Promise<void> {
  const message = { to: 'everyone', tenant: 'hostile', type: 'x', content: 'x'.repeat(2000), durable: true };
  const body = JSON.stringify(message);
  for (let count = 0; count < 40; count += 1)
    await sendSigned({ method: 'POST', url: new URL('/publish', url), body });
}

async function measure(name: string, server: CloudProcess, size: Size): Promise<void> {
  const { connections, rounds, seconds } = size;
  const urls = await Promise.all(
    Array.from({ length: connections }, (_, user) => urlOf(server, 'hostile', `${name}-${user}`)),
  );
  const clients = await Promise.all(
    Array.from({ length: quietClients }, async (_, user) => connect(await urlOf(server, 'quiet', `${user}`))),
  );
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const alone = p99(await roundTrips(clients, seconds));
    const attackers = await startAttackers(name, urls);
    // Their burst is over then, and the limits hold.
    await wait(2000);
    const before = await counted(attackers);
    const attacked = p99(await roundTrips(clients, seconds));
    const after = await counted(attackers);
    attackers.disconnect();
    // Round 0 starts the functions. It does not count.
    if (round > 0) ratios.push(attacked / alone);
    const rates = Object.keys(after)
      .map((kind) => `${Math.round(((after[kind] ?? 0) - (before[kind] ?? 0)) / seconds)} ${kind}/s`)
      .join(', ');
    console.log(
      `${name} ${round}: p99 ${alone.toFixed(1)} ms alone, ${attacked.toFixed(1)} ms beside; ${rates}`,
    );
    await settled(clients);
  }
  for (const client of clients) client.terminate();
  const sorted = ratios.toSorted((a, b) => a - b);
  const all = sorted.map((ratio) => ratio.toFixed(2)).join(', ');
  console.log(`${name}: p99 beside, to p99 alone: best ${sorted[0]?.toFixed(2)} x, all ${all}\n`);
}

async function startAttackers(name: string, urls: readonly string[]): Promise<ChildProcess> {
  const { frames = [], pauseMs: pause = 0 } = attacks[name] ?? {};
  const file = new URL('./hostile-attackers.ts', import.meta.url);
  const attackers = fork(file, [JSON.stringify(frames), String(pause), ...urls], {
    execArgv: ['--import', 'tsx'],
  });
  await once(attackers, 'message');
  return attackers;
}

/** How many frames of each kind the attackers have got. */
async function counted(attackers: ChildProcess): Promise<Readonly<Record<string, number>>> {
  const answered = once(attackers, 'message');
  attackers.send({});
  return counts.parse((await answered)[0]);
}

async function urlOf({ url, secret }: CloudProcess, tenant: string, user: string): Promise<string> {
  const token = await signToken(secret, { user, type: 'member', tenant, topics: [], ttlSeconds: 3600 });
  return `${url.replace('http', 'ws')}/live?token=${token}`;
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

/** Resolves when the frames that were still under way have ended. */
async function settled(clients: readonly WebSocket[]): Promise<void> {
  while (Math.max(...(await roundTrips(clients, 1))) > 100);
}

/** The round trips of pings in milliseconds, one at a time on each connection. */
async function roundTrips(clients: readonly WebSocket[], seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    clients.map(async (socket, index) => {
      await wait((pauseMs * index) / clients.length);
      while (performance.now() < end) {
        const startedAt = performance.now();
        const answered = once(socket, 'message');
        socket.send(ping);
        await answered;
        times.push(performance.now() - startedAt);
        await wait(pauseMs);
      }
    }),
  );
  return times;
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(0.99 * times.length) - 1] ?? Number.NaN;
}
