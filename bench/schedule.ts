import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import WebSocket from 'ws';
import { CommandError, readFlags, readWholeNumber, run } from '../cli/command-line.ts';
import { signToken } from '../cli/sign-token.ts';
import { createPublisher } from '../publisher/index.ts';
import { type CloudProcess, startCloudProcess } from '../scripts/server-process.ts';

const usage = `npm run bench -- schedule [--messages 10000] [--users 100] [--ahead 300]

Schedules messages for one moment, each to one user, and measures how long after that moment they arrive. A message that
is missing, early, or comes twice fails the bench.

  --messages N  messages for the same moment (default 10000)
  --users N     users that are online, who share the messages (default 100)
  --ahead N     seconds from the start until the moment (default 300)`;

/** As many publishes at the same time. */
const publishers = 16;

await run(async () => {
  const flags = readFlags(usage, {
    messages: { type: 'string', default: '10000' },
    users: { type: 'string', default: '100' },
    ahead: { type: 'string', default: '300' },
  });
  const messages = readWholeNumber('messages', flags.messages, 1, 1_000_000);
  const users = readWholeNumber('users', flags.users, 1, 1000);
  const aheadMs = 1000 * readWholeNumber('ahead', flags.ahead, 1, 3600);
  const cloud = await startCloudProcess({ scheduledPublishes: true });
  try {
    const arrivals = new Map<unknown, number[]>();
    const sockets = await Promise.all(
      Array.from({ length: users }, (_, user) => connect(cloud, String(user), arrivals)),
    );
    const startedAt = Date.now();
    const deliverAt = startedAt + aheadMs;
    await schedule(cloud, { messages, users, deliverAt });
    const tookMs = Date.now() - startedAt;
    console.log(
      `scheduled: ${String(messages)} in ${seconds(tookMs)}, ${String(Math.round((1000 * messages) / tookMs))} per second`,
    );
    const giveUpAt = deliverAt + 10 * 60_000;
    while (arrivals.size < messages && Date.now() < giveUpAt) {
      // A connection without messages would be closed.
      for (const socket of sockets) socket.send('ping');
      await wait(1000);
    }
    for (const socket of sockets) socket.terminate();
    report(arrivals, messages, deliverAt);
  } finally {
    cloud.close();
  }
});

async function connect({ url, secret }: CloudProcess, user: string, arrivals: Map<unknown, number[]>) {
  const token = await signToken(secret, {
    user,
    type: 'member',
    tenant: 'default',
    topics: [],
    ttlSeconds: 7200,
  });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live?token=${token}`);
  await once(socket, 'open');
  socket.on('message', (data: Buffer) => {
    const text = data.toString();
    if (text === 'pong') return;
    const { messageId } = JSON.parse(text) as { messageId?: string };
    arrivals.set(messageId, [...(arrivals.get(messageId) ?? []), Date.now()]);
  });
  return socket;
}

async function schedule(
  { url }: CloudProcess,
  { messages, users, deliverAt }: { messages: number; users: number; deliverAt: number },
): Promise<void> {
  const publisher = createPublisher({ url: `${url}/publish` });
  let next = 0;
  const publishAll = async () => {
    for (let at = next++; at < messages; at = next++) {
      if (Date.now() >= deliverAt) throw new CommandError('The moment came first: raise --ahead.');
      await publisher.publish({
        to: `user:member:${String(at % users)}`,
        type: 'notice',
        content: at,
        deliverAt,
      });
    }
  };
  await Promise.all(Array.from({ length: publishers }, publishAll));
}

function report(
  arrivals: ReadonlyMap<unknown, readonly number[]>,
  messages: number,
  deliverAt: number,
): void {
  const lateMs = [...arrivals.values()].map(([at = 0]) => at - deliverAt).sort((a, b) => a - b);
  const at = (share: number) =>
    seconds(lateMs[Math.min(lateMs.length - 1, Math.floor(share * lateMs.length))] ?? 0);
  console.log(`after the moment: first ${at(0)}, half ${at(0.5)}, 99 % ${at(0.99)}, last ${at(1)}`);
  const twice = [...arrivals.values()].filter(({ length }) => length > 1).length;
  const early = lateMs.filter((ms) => ms < 0).length;
  console.log(`missing ${String(messages - arrivals.size)}, twice ${String(twice)}, early ${String(early)}`);
  if (arrivals.size < messages || twice > 0 || early > 0) process.exitCode = 1;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
