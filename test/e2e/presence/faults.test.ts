import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '../client.ts';
import type { Stack } from '../stack.ts';
import { growOld, probeNow, setFaults } from './lost-sessions.ts';
import { startPresenceStack } from './presence-stack.ts';
import { Watcher } from './watcher.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startPresenceStack({ maxSessionsPerUser: 100 });
});
afterAll(() => stack.close());

const users = ['ann', 'bob', 'cat', 'dan'];
const names = users.map((user) => `member:${user}`);
const reloads = 12;

interface Told {
  readonly user: string;
  readonly online: boolean;
}

it('shows nobody offline who reloads every second, although a fifth of all disconnects is lost and functions are killed', async () => {
  const watchers = await Promise.all(
    ['one', 'two'].map((user) => Watcher.open(stack, { user, type: 'watcher', claims: { watch: ['*'] } })),
  );
  for (const watcher of watchers) await watcher.watch({ users: names });
  const clients = new Map<string, Client>();
  for (const user of users) clients.set(user, await stack.connect({ user }));
  for (const watcher of watchers) await watcher.toldOf(users.length);
  const lastOf = (watcher: Watcher, user: string) =>
    (watcher.contents() as Told[]).findLast((told) => told.user === user)?.online;

  await setFaults(stack, { lostDisconnect: 0.2, killedFunction: 0.02, duplicateDelivery: 0.1, seed: 7 });
  await Promise.all(
    users.map(async (user) => {
      for (let reload = 0; reload < reloads; reload += 1) {
        const next = setTimeout(1000);
        await clients.get(user)?.close();
        clients.set(user, await reconnect(user));
        await next;
      }
    }),
  );
  const offline = watchers.flatMap((watcher) =>
    (watcher.contents() as Told[]).filter(({ online }) => !online),
  );
  expect(offline).toEqual([]);

  for (const client of clients.values()) await client.close();
  await setFaults(stack, {});
  // What the minutes and the queue do: the rows of lost sessions grow old, and the next probe is due.
  for (const user of users) {
    await growOld(stack, user);
    await probeNow(stack, { kind: 'user', name: `member:${user}` });
  }
  for (const watcher of watchers) {
    for (const name of names) await expect.poll(() => lastOf(watcher, name), { timeout: 60_000 }).toBe(false);
  }
  const { body } = await stack.call('GET', `/presence?users=${names.join(',')}`);
  expect(body).toMatchObject({ users: users.map(() => ({ online: false, sessions: 0 })) });
  expect(stack.cloud.deniedCalls()).toEqual([]);
}, 180_000);

/** A handshake whose function is killed fails, and the page tries again. */
async function reconnect(user: string): Promise<Client> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await stack.connect({ user });
    } catch (cause) {
      if (tries === 3) throw cause;
    }
  }
}
