import * as z from 'zod/mini';
import type { Client } from '../client.ts';
import { probeNow } from '../presence/lost-sessions.ts';
import { ask, type Use } from './use.ts';

const frame = z.object({
  type: z.string(),
  content: z.optional(z.object({ user: z.optional(z.unknown()), online: z.optional(z.unknown()) })),
});

/** Watches users who come, and one whose connection is lost. `leave` connects a user and loses the connection. */
export async function usePresence({ stack }: Use, leave: (user: string) => Promise<void>): Promise<void> {
  const open = (user: string) => stack.connect({ user, claims: { watch: ['*'] } });
  const one = await open('watcher-1');
  await ask(one, 'watch', { users: ['member:watcher-2'] });
  // So many watchers need a fan-out.
  const watchers = [one, await open('watcher-2'), await open('watcher-3')];
  await told(one, 'watcher-2', true);
  // Ada is online, so her probes begin at once.
  for (const watcher of watchers)
    await ask(watcher, 'watch', { users: ['member:ada', 'member:gone-5'], topics: ['orders.eu'] });
  await leave('gone-5');
  for (const watcher of watchers) await told(watcher, 'gone-5', true);
  await probeNow(stack, { kind: 'user', name: 'member:gone-5' });
  for (const watcher of watchers) await told(watcher, 'gone-5', false);
}

/** Waits for the frame that tells whether a user is online. Others come in between. */
async function told(watcher: Client, user: string, online: boolean): Promise<void> {
  for (;;) {
    const { type, content } = z.parse(frame, await watcher.next());
    if (type === 'presence' && content?.user === `member:${user}` && content.online === online) return;
  }
}
