import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { createPublish } from '../core/publish/publish.ts';
import { shardOf, topicKey } from '../core/sessions/items.ts';
import { formatTarget, readPublishRequest } from '../protocol/index.ts';
import { readFlags, readWholeNumber, run } from '../cli/command-line.ts';
import { buildParts, type Place } from './fan-out-parts.ts';
import { startWorkers, type Workers } from './fan-out-workers.ts';
import { startServer } from '../scripts/server-process.ts';

const usage = `npm run bench -- fan-out [--recipients 100000] [--rate 8000]

Sends to a topic with eight processes of the fan-out's worker. A stub of the callback API takes 10,000 requests per
second with a burst of 5,000. Ends with code 1 if a bound is broken.

  --recipients N   subscribers of the topic (default 100000)
  --rate N         posts per second of all workers together (default 8000)`;

const shards = 8;
const workerCount = 8;

/** A worker carries over at most 100 ms of unused rate. A broadcast may start with such a burst. */
const burstSeconds = 0.1;
/** The longest duration of a broadcast, as a multiple of the time that its rate allows. */
const slowest = 1.1;
/** A killed worker has sent at most one page since its last checkpoint. Its successor sends that page again. */
const pageSize = 1000;
/** The bound of a ratio: the median publish to one user during a whole broadcast, divided by that during a tenth. */
const largestShare = 1.5;
/** The largest number of publishes to one user during one broadcast. */
const maxPublishes = 150;

await run(async () => {
  const flags = readFlags(usage, {
    recipients: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '8000' },
  });
  const count = readWholeNumber('recipients', flags.recipients, 1000, 1_000_000);
  const rate = readWholeNumber('rate', flags.rate, 100, 10_000);
  console.log(
    `Node ${process.version}, ${os.cpus().length} cores. ${count} recipients at ${rate} per second.`,
  );

  const [database, callbackApi] = await Promise.all([
    startServer(new URL('./fan-out-database.ts', import.meta.url)),
    startServer(new URL('./fan-out-stub.ts', import.meta.url)),
  ]);
  const { origin, searchParams } = new URL(database.url);
  const tables = {
    sessions: searchParams.get('sessions') ?? '',
    state: searchParams.get('state') ?? '',
  };
  const place: Place = { database: origin, callbackApi: callbackApi.url, tables, shards };
  const bench = { place, count, rate, parts: buildParts(place) };

  await subscribe(bench, 'all', count);
  await subscribe(bench, 'tenth', count / 10);
  const sound = await startWorkers(place, workerCount, rate, false);
  await broadcast(bench, sound, { title: 'All well', gone: 0, throttled: 0 });
  await compareDirect(bench, sound);
  sound.close();
  const dying = await startWorkers(place, workerCount, rate, true);
  await broadcast(bench, dying, {
    title: '5 % gone, 2 % throttled, one worker in three killed',
    gone: 0.05,
    throttled: 0.02,
  });
  dying.close();
  database.close();
  callbackApi.close();
});

interface Bench {
  readonly place: Place;
  readonly count: number;
  readonly rate: number;
  readonly parts: ReturnType<typeof buildParts>;
}

/** Runs one broadcast to the whole topic. Checks its duration, its recipients and its report. */
async function broadcast(
  bench: Bench,
  workers: Workers,
  { title, ...shares }: { title: string; gone: number; throttled: number },
): Promise<void> {
  const { count, rate, parts } = bench;
  await reset(bench, shares);
  const { id, bodies } = await publish(bench, 'all');
  const startedAt = performance.now();
  const { killed } = await workers.run(bodies);
  const seconds = (performance.now() - startedAt) / 1000;
  const report = await parts.publications.get(id);
  if (!report) throw new Error('The publication has no record.');

  const deliveries = new Map(await readDeliveries(bench));
  const live = ids(count).filter(
    (_, index) => shares.gone === 0 || index % Math.round(1 / shares.gone) !== 0,
  );
  const missed = live.filter((connectionId) => !deliveries.has(connectionId)).length;
  const copies = [...deliveries.values()].reduce((sum, times) => sum + times - 1, 0);
  const { status, delivered, gone, failed, pending } = report;

  console.log(`\n${title}`);
  console.log(`  ${seconds.toFixed(2)} s, floor ${(count / rate).toFixed(2)} s; workers killed ${killed}`);
  console.log(
    `  report: ${status}, delivered ${delivered}, gone ${gone}, failed ${failed}, pending ${pending}`,
  );
  if (shares.gone === 0) {
    const share = (seconds * rate) / count;
    checkAtLeast('duration ÷ the time that the rate allows', share, 1 - (burstSeconds * rate) / count);
    check('duration ÷ the time that the rate allows', share, slowest);
  }
  check('second copies', copies, killed * pageSize);
  check('live recipients missed', missed, 0);
  check(
    'difference between recipients and the sum of the report',
    Math.abs(count - delivered - gone - failed - pending),
    0,
  );
  check('difference between delivered and live recipients', Math.abs(live.length - delivered), 0);
}

/** Publishes to one user during broadcasts to a tenth and to the whole topic. The size must not affect the latency. */
async function compareDirect(bench: Bench, workers: Workers): Promise<void> {
  const beside = { tenth: [] as number[], all: [] as number[] };
  for (const topic of ['tenth', 'all', 'all', 'tenth'] as const) {
    beside[topic].push(...(await direct(bench, workers, topic)));
  }
  console.log('');
  for (const [topic, took] of Object.entries(beside)) {
    const figures = `p50 ${at(took, 0.5).toFixed(1)} ms, p99 ${at(took, 0.99).toFixed(1)} ms`;
    console.log(`To one user during a broadcast to "${topic}": ${figures} (${took.length} publishes)`);
  }
  check(
    'median during the whole broadcast ÷ that during a tenth',
    at(beside.all, 0.5) / at(beside.tenth, 0.5),
    largestShare,
  );
}

/** The durations of publishes to one user during a broadcast, in ms. */
async function direct(bench: Bench, workers: Workers, topic: string): Promise<number[]> {
  const { parts } = bench;
  await reset(bench, { gone: 0, throttled: 0 });
  const now = Date.now();
  const user = { tenant: 'default', userType: 'member', userId: 'direct' };
  const session = { connectedAt: now, tokenExpiresAt: now + 3_600_000, sourceIp: '', userAgent: '' };
  await parts.sessions.add({ connectionId: 'direct', ...user, ...session });
  const queue = { send: () => Promise.reject(new Error('One session must not go through the queue.')) };
  const options = { queue, inlineLimit: 500, durableTopics: [] };
  const send = createPublish({ ...parts, ...options });
  const request = readPublishRequest({ to: 'user:member:direct', type: 'x', content: 1 });

  const { bodies } = await publish(bench, topic);
  const ended = new AbortController();
  const broadcasting = workers.run(bodies).finally(() => ended.abort());
  const took: number[] = [];
  while (!ended.signal.aborted && took.length < maxPublishes) {
    const startedAt = performance.now();
    await send(request);
    took.push(performance.now() - startedAt);
  }
  await broadcasting;
  return took;
}

/** The quantile of the values at this share. */
function at(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
}

async function publish({ parts }: Bench, topic: string) {
  const messageId = randomUUID();
  const id = { tenant: 'default', messageId };
  await parts.publications.claim(id, 'bench');
  await parts.publications.finish(id, { messageId, status: 'accepted', shards });
  const job = {
    ...id,
    exclude: [],
    frame: JSON.stringify({ type: 'x', content: 'x'.repeat(1000), messageId }),
    reportsRecipients: false,
  };
  const to = [formatTarget({ kind: 'topic', topic })];
  return { id, bodies: Array.from({ length: shards }, (_, shard) => JSON.stringify({ ...job, to, shard })) };
}

/** Writes subscriptions without their sessions, in batches of 25, the limit of DynamoDB. */
async function subscribe({ place, parts }: Bench, topic: string, count: number): Promise<void> {
  const all = ids(count);
  const now = Date.now();
  const write = async (from: number): Promise<void> => {
    const puts = all.slice(from, from + 25).map((sk) => ({
      PutRequest: {
        Item: {
          pk: topicKey('default', topic, shardOf(sk, shards)),
          sk,
          userType: 'member',
          userId: sk,
          connectedAt: now - 120_000,
          tokenExpiresAt: now + 3_600_000,
          expiresAt: Math.ceil(now / 1000) + 7200,
        },
      },
    }));
    await parts.db.send(new BatchWriteCommand({ RequestItems: { [place.tables.sessions]: puts } }));
  };
  for (let from = 0; from < count; from += 400) {
    await Promise.all(
      Array.from({ length: 16 }, (_, index) => from + index * 25)
        .filter((at) => at < count)
        .map(write),
    );
    if (process.stdout.isTTY)
      process.stdout.write(`\rSubscribing ${Math.min(from + 400, count)} of ${count} …`);
  }
  console.log(`\r${count} subscribed to "${topic}".        `);
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${String(index).padStart(7, '0')}`);
}

async function reset({ place }: Bench, shares: { gone: number; throttled: number }): Promise<void> {
  await fetch(`${place.callbackApi}/reset`, { method: 'POST', body: JSON.stringify(shares) });
}

async function readDeliveries({ place }: Bench): Promise<[string, number][]> {
  return (await (await fetch(`${place.callbackApi}/deliveries`)).json()) as [string, number][];
}

function check(what: string, value: number, most: number): void {
  say(value <= most, `${what}: ${figure(value)}, at most ${figure(most)}`);
}

function checkAtLeast(what: string, value: number, least: number): void {
  say(value >= least, `${what}: ${figure(value)}, at least ${figure(least)}`);
}

function say(isHeld: boolean, what: string): void {
  console.log(`  ${isHeld ? 'holds' : 'BROKEN'}  ${what}`);
  if (!isHeld) process.exitCode = 1;
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
