import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import * as z from 'zod/mini';

const ready = z.object({ url: z.string() });

/** Starts a server of this folder in a process of its own; `url` is where it listens. */
export async function startServer(file: string): Promise<{ readonly url: string; close(): void }> {
  const child = fork(new URL(file, import.meta.url), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { url } = ready.parse(await firstMessage(child));
  return { url, close: () => child.disconnect() };
}

/** In a server's process: tells the parent where it listens, and ends when the parent lets go. */
export function announce(url: string, close: () => Promise<void>): void {
  process.send?.({ url });
  process.once('disconnect', () => {
    void close().then(() => process.exit(0));
  });
}

/** Listens on a free loopback port until the parent lets go. */
export async function serveUntilParentLeaves(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  announce(`http://127.0.0.1:${port}`, () => {
    server.close();
    return Promise.resolve();
  });
}

async function firstMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => {
      reject(new Error(`${child.spawnfile} ended with code ${String(code)} before it was ready.`));
    });
  });
}
