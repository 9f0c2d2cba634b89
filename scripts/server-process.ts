import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import * as z from 'zod/mini';

export interface ServerProcess {
  /** Where it listens. */
  readonly url: string;
  /** Lets the process go; it ends by itself then. */
  close(): void;
}

const ready = z.object({ url: z.string() });

/** Starts a server in a process of its own, so that its work is not the measuring process's. */
export async function startServer(file: URL, ...args: readonly string[]): Promise<ServerProcess> {
  const child = fork(file, args, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { url } = ready.parse(await firstMessage(child));
  return { url, close: () => child.disconnect() };
}

/** Starts a laptop cloud with this repository's stack, with the settings of cdk.json but for these. */
export function startCloudProcess(settings: Readonly<Record<string, unknown>> = {}): Promise<ServerProcess> {
  return startServer(new URL('./cloud-process.ts', import.meta.url), JSON.stringify(settings));
}

/** In the server's process: tells the parent where the server listens, and ends when the parent lets go. */
export function announce(url: string, close: () => Promise<void>): void {
  process.send?.({ url });
  process.once('disconnect', () => {
    void close().then(() => process.exit(0));
  });
}

/** In the server's process: listens on a free loopback port until the parent lets go. */
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
