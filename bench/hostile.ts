import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import WebSocket from 'ws';
import { readFlags, readWholeNumber, run } from '../cli/command-line.ts';
import { signToken } from '../cli/sign-token.ts';
import { sendSigned } from '../publisher/signed-request.ts';
import { type CloudProcess, startCloudProcess } from '../scripts/server-process.ts';

const usage = `npm run bench -- hostile [--connections 40] [--rounds 4] [--seconds 5]

Compares the round trips of one client while it is alone with those while connections of another tenant send as much as
their limits allow: pings, and recovers that send what is stored. Every round measures both, one after the other.

  --connections N  hostile connections, each of a user of its own (default 40)
  --rounds N       measured rounds, after one warm-up round (default 4)
  --seconds N      the time of each measurement (default 5)`;

/** Below the limit of a connection, so that none of the client's own frames is refused. */
const pauseMs = 100;

await run(async () => {
  const flags = readFlags(usage, {
    connections: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '5' },
  });
  const connections = readWholeNumber('connections', flags.connections, 1, 1000);
  const rounds = readWholeNumber('rounds', flags.rounds, 1, 20);
  const seconds = readWholeNumber('seconds', flags.seconds, 1, 60);
  const cloud = await startCloudProcess();
  try {
    const url = new URL('/publish', cloud.url);
    const body = JSON.stringify({
      to: 'everyone',
      tenant: 'hostile',
      type: 'x',
      content: 'x'.repeat(2000),
      durable: true,
    });
    for (let count = 0; count < 40; count += 1) await sendSigned({ method: 'POST', url, body });
    const client = await connect(cloud, 'quiet', 'client');
    const ratios: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const alone = p99(await roundTrips(client, seconds));
      const attackers = await Promise.all(
        Array.from({ length: connections }, (_, user) => connect(cloud, 'hostile', `user-${user}`)),
      );
      const timers = attackers.map((socket, index) => attack(socket, index));
      const attacked = p99(await roundTrips(client, seconds));
      timers.forEach(clearInterval);
      for (const socket of attackers) socket.terminate();
      // Round 0 starts the functions. It does not count.
      if (round > 0) ratios.push(attacked / alone);
      console.log(
        `${round}: p99 ${alone.toFixed(1)} ms alone, ${attacked.toFixed(1)} ms beside ${connections}`,
      );
      await settled(client);
    }
    client.terminate();
    const sorted = ratios.toSorted((a, b) => a - b);
    console.log(
      `p99 beside the others, to p99 alone: best ${sorted[0]?.toFixed(2)} x, all ${sorted.map((ratio) => ratio.toFixed(2)).join(', ')}`,
    );
  } finally {
    cloud.close();
  }
});

async function connect({ url, secret }: CloudProcess, tenant: string, user: string): Promise<WebSocket> {
  const token = await signToken(secret, { user, type: 'member', tenant, topics: [], ttlSeconds: 3600 });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live?token=${token}`);
  await once(socket, 'open');
  return socket;
}

/** 20 units a second, the limit of a connection: 10 pings, and 2 recovers of 5 units each. */
function attack(socket: WebSocket, index: number): NodeJS.Timeout {
  let sent = index;
  return setInterval(() => {
    socket.send('{"type":"ping"}');
    sent += 1;
    if (sent % 5 === 0)
      socket.send('{"type":"recover","content":{"channels":[{"channel":"everyone","epoch":""}]}}');
  }, 100);
}

/** Resolves when the frames that were still under way have ended. */
async function settled(socket: WebSocket): Promise<void> {
  while (Math.max(...(await roundTrips(socket, 1))) > 500);
}

/** The round trips of pings, one at a time, in milliseconds. */
async function roundTrips(socket: WebSocket, seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const startedAt = performance.now();
    const answered = once(socket, 'message');
    socket.send('{"type":"ping"}');
    await answered;
    times.push(performance.now() - startedAt);
    await wait(pauseMs);
  }
  return times;
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(0.99 * times.length) - 1] ?? Number.NaN;
}
