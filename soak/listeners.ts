import WebSocket from 'ws';
import { type Client, connect, type Frame } from '../client/index.ts';
import { signToken } from '../cli/sign-token.ts';
import { channelsHeardBy, topicOf, userOf } from './audience.ts';
import type { ChannelLog } from './logs.ts';

/** One client, and what its application was given. */
export interface Listener {
  readonly name: string;
  /** By channel: the offsets, as they came. */
  readonly given: ReadonlyMap<string, readonly number[]>;
  /** What the client said it could not recover. */
  readonly lostEvents: readonly string[];
  readonly hasAll: (logs: readonly ChannelLog[]) => boolean;
}

/** Opens the clients, and waits until each is subscribed. */
export async function openListeners(url: string, clients: number) {
  const counts = { received: 0, reconnects: 0 };
  const opened = await Promise.all(
    Array.from({ length: clients }, (_, client) => openListener(url, client, counts)),
  );
  return {
    all: opened.map(({ listener }) => listener),
    counts: counts as Readonly<typeof counts>,
    async close(): Promise<void> {
      await Promise.all(opened.map(({ client }) => client.close()));
    },
  };
}

async function openListener(url: string, client: number, counts: { received: number; reconnects: number }) {
  const given = new Map<string, number[]>(channelsHeardBy(client).map((channel) => [channel, []]));
  const lostEvents: string[] = [];
  const connection: Client = connect({
    url: `${url.replace('http', 'ws')}/live`,
    token: () =>
      signToken({
        user: userOf(client),
        type: 'member',
        tenant: 'default',
        topics: ['soak.*'],
        ttlSeconds: 3600,
      }),
    WebSocket,
    answerTimeoutMs: 15_000,
    // What takes two hours in a day's use happens many times in this one.
    renewAfterMs: 15_000,
    heartbeatAfterMs: 5000,
  });
  connection.on('*', (_content, frame: Frame) => {
    given.get(frame.channel ?? '')?.push(frame.offset ?? 0);
    counts.received += 1;
  });
  connection.on('lost', ({ channel, from, to }) => {
    lostEvents.push(`${channel} from ${from.offset} to ${to.offset}`);
  });
  const open = new Promise<void>((resolve) => {
    connection.on('status', ({ state }) => {
      if (state === 'open') resolve();
      else if (state === 'reconnecting') counts.reconnects += 1;
    });
  });
  await open;
  // Its messages are heard by `*` as all others are.
  await connection.subscribe(topicOf(client), () => undefined).ready;
  const listener: Listener = {
    name: userOf(client),
    given,
    lostEvents,
    hasAll: (logs) =>
      logs.every(({ channel, offsets }) => {
        const own = given.get(channel);
        return own === undefined || new Set(own).size >= offsets.length;
      }),
  };
  return { client: connection, listener };
}
