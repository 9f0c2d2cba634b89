import * as z from 'zod/mini';
import type { Client } from '../client.ts';
import { probeNow } from '../presence/lost-sessions.ts';
import { ask, type Use } from './use.ts';

const user = 'gone-5';

const frame = z.object({
  type: z.string(),
  content: z.optional(z.object({ user: z.optional(z.unknown()), online: z.optional(z.unknown()) })),
});

/** Watches a user who comes, and whose connection is lost. `leave` is how it is lost. */
export async function usePresence({ stack }: Use, leave: (user: string) => Promise<void>): Promise<void> {
  // More than one publish delivers itself.
  const watchers = await Promise.all(
    ['watcher-1', 'watcher-2', 'watcher-3'].map((watcher) =>
      stack.connect({ user: watcher, claims: { watch: ['*'] } }),
    ),
  );
  // Ada is online, so her probes begin at once.
  const users = ['member:ada', `member:${user}`];
  for (const watcher of watchers) await ask(watcher, 'watch', { users, topics: ['orders.eu'] });
  await leave(user);
  for (const watcher of watchers) await told(watcher, true);
  await probeNow(stack, { kind: 'user', name: `member:${user}` });
  for (const watcher of watchers) await told(watcher, false);
}

/** Waits for the frame that tells whether the user is online. Others come in between. */
async function told(watcher: Client, online: boolean): Promise<void> {
  for (;;) {
    const { type, content } = z.parse(frame, await watcher.next());
    if (type === 'presence' && content?.user === `member:${user}` && content.online === online) return;
  }
}
