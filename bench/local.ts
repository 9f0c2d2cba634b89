import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { readFlags, readWholeNumber, run } from '../cli/command-line.ts';
import { type CloudProcess, startCloudProcess, startServer } from '../scripts/server-process.ts';
import { sendSigned } from '../publisher/signed-request.ts';
import { measureRound, type Peer, type Round } from './local-measures.ts';

const usage = `npm run bench -- local [--clients 100] [--rounds 4]

Compares the laptop cloud with a bare ws server, each in its own process. Every round measures both, and every other
round begins with the cloud, so that other load on the machine affects both. The bare server verifies the same HS256
tokens, keeps the sockets of each user in a map, and takes publishes by plain HTTP. Takes about half a minute.

  --clients N  users that connect in each round (default 100)
  --rounds N   measured rounds, after one warm-up round (default 4)`;

const unlimited = { rateLimit: 1_000_000, burstLimit: 1_000_000 };

await run(async () => {
  const flags = readFlags(usage, {
    clients: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '4' },
  });
  const clients = readWholeNumber('clients', flags.clients, 1, 1000);
  const rounds = readWholeNumber('rounds', flags.rounds, 1, 20);

  const bareSecret = randomBytes(32).toString('hex');
  const [bareServer, cloudServer] = await Promise.all([
    startServer(new URL('./local-bare-server.ts', import.meta.url), bareSecret),
    // The bare server has no limits of senders either.
    startCloudProcess({ connectionRate: unlimited, userRate: unlimited }),
  ]);
  try {
    const bare = { peer: barePeer(bareServer.url, bareSecret), rounds: [] as Round[] };
    const cloud = { peer: cloudPeer(cloudServer), rounds: [] as Round[] };
    // Round 0 starts the functions and warms up both servers. It does not count.
    for (let round = 0; round <= rounds; round += 1) {
      for (const { peer, rounds: taken } of round % 2 === 0 ? [cloud, bare] : [bare, cloud]) {
        const measured = await measureRound(peer, round === 0 ? Math.min(clients, 20) : clients);
        if (round > 0) taken.push(measured);
      }
    }
    report(bare.rounds, cloud.rounds, clients);
  } finally {
    bareServer.close();
    cloudServer.close();
  }
});

function barePeer(url: string, secret: string): Peer {
  const publish = (body: string) => fetch(`${url}/publish`, { method: 'POST', body });
  return { name: 'bare ws', webSocketUrl: url.replace('http', 'ws'), secret, publish };
}

function cloudPeer({ url, secret }: CloudProcess): Peer {
  const publish = (body: string) => sendSigned({ method: 'POST', url: new URL('/publish', url), body });
  return { name: 'laptop cloud', webSocketUrl: `${url.replace('http', 'ws')}/live`, secret, publish };
}

function report(bare: readonly Round[], cloud: readonly Round[], clients: number): void {
  const cpu = os.cpus()[0]?.model.trim() ?? 'unknown CPU';
  const latencies = (name: string, samplesOf: (round: Round) => readonly number[]) =>
    [50, 99].map((percent) =>
      line(`${name} p${percent}, ms`, bare, cloud, (rounds) =>
        quantile(rounds.flatMap(samplesOf), percent / 100),
      ),
    );
  const table = [
    row('', 'bare ws', 'laptop cloud', 'ratio'),
    line('connects per second', bare, cloud, (rounds) =>
      quantile(
        rounds.map((round) => round.connectsPerSecond),
        0.5,
      ),
    ),
    ...latencies('frame round trip', ({ frames }) => frames),
    ...latencies('publish to receipt', ({ publishes }) => publishes),
    ...latencies('durable publish', ({ durablePublishes }) => durablePublishes),
  ];
  console.log(`
The laptop cloud (authorizer, functions, DynamoDB, SigV4, IAM, metering) beside a bare ws server.
Node ${process.versions.node}, ${os.availableParallelism()} cores, ${cpu}; ${clients} clients, ${bare.length} rounds.

${table.join('\n')}

Connects: the median of the rounds, with 16 handshakes at a time. Latencies: one request at a time, over all rounds.
The bare server stores nothing: it only sends a durable publish.
The ratio is the price of the platform's rules on this machine. It says nothing about AWS.`);
}

function line(
  name: string,
  bare: readonly Round[],
  cloud: readonly Round[],
  valueOf: (rounds: readonly Round[]) => number,
): string {
  const [before, after] = [valueOf(bare), valueOf(cloud)];
  return row(name, figure(before), figure(after), `${figure(after / before)} x`);
}

function row(name: string, ...cells: string[]): string {
  return `${name.padEnd(28)}${cells.map((cell) => cell.padStart(14)).join('')}`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** The quantile of the values at this share. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
