import WebSocket from 'ws';
import { type Client, connect, type Frame } from '../client/index.ts';
import { signToken } from '../cli/sign-token.ts';
import { channelsOf, topicOf, userOf } from './audience.ts';

/** One client, and the messages and events that it gave to its application. */
export interface Subscriber {
  readonly name: string;
  /** The channels whose messages the client must get. */
  readonly channels: readonly string[];
  /** Every message, in the order of arrival. */
  readonly given: readonly Frame[];
  /** The gaps that the client could not recover. */
  readonly lostEvents: readonly string[];
}

/** The stack under test, and the secret that signs its tokens. */
interface Server {
  readonly url: string;
  readonly secret: string;
}

/** Opens the clients, and resolves when every one is subscribed. */
export async function openSubscribers(server: Server, clients: number) {
  const counts = { received: 0, reconnects: 0 };
  const opened: Awaited<ReturnType<typeof openSubscriber>>[] = [];
  // Clients start one after another. On a busy machine, functions that start together may time out.
  while (opened.length < clients) opened.push(await openSubscriber(server, opened.length, counts));
  return {
    all: opened.map(({ subscriber }) => subscriber),
    counts: counts as Readonly<typeof counts>,
    async close(): Promise<void> {
      await Promise.all(opened.map(({ client }) => client.close()));
    },
  };
}

async function openSubscriber(
  { url, secret }: Server,
  number: number,
  counts: { received: number; reconnects: number },
): Promise<{ readonly client: Client; readonly subscriber: Subscriber }> {
  const given: Frame[] = [];
  const lostEvents: string[] = [];
  const client = connect({
    url: `${url.replace('http', 'ws')}/live`,
    token: () =>
      signToken(secret, {
        user: userOf(number),
        type: 'member',
        tenant: 'default',
        topics: ['soak.*'],
        ttlSeconds: 3600,
      }),
    WebSocket,
    answerTimeoutMs: 15_000,
    // The values are far below the defaults, so that one run has many renewals and heartbeats.
    renewAfterMs: 15_000,
    heartbeatAfterMs: 5000,
  });
  client.on('*', (_content, frame) => {
    given.push(frame);
    counts.received += 1;
  });
  client.on('lost', ({ channel, from, to }) => {
    lostEvents.push(`${channel} from ${from.offset} to ${to.offset}`);
  });
  const open = new Promise<void>((resolve) => {
    client.on('status', ({ state }) => {
      if (state === 'open') resolve();
      else if (state === 'reconnecting') counts.reconnects += 1;
    });
  });
  await open;
  // The handler for `*` gets the topic's messages too.
  await client.subscribe(topicOf(number), () => undefined).ready;
  return { client, subscriber: { name: userOf(number), channels: channelsOf(number), given, lostEvents } };
}
