import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import * as z from 'zod/mini';

export interface ServerProcess {
  /** The address at which the server listens. */
  readonly url: string;
  /** Disconnects from the process, which then ends itself. */
  close(): void;
}

const ready = z.object({ url: z.string() });

/** Starts a server in its own process, so that its work does not burden the measuring process. */
export async function startServer(file: URL, ...args: readonly string[]): Promise<ServerProcess> {
  const child = fork(file, args, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { url } = ready.parse(await firstMessage(child));
  return { url, close: () => child.disconnect() };
}

export interface CloudProcess extends ServerProcess {
  /** Signs tokens for the stack. */
  readonly secret: string;
}

/** Starts a laptop cloud with this repository's stack. `settings` override those of cdk.json. */
export async function startCloudProcess(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<CloudProcess> {
  const secret = randomBytes(32).toString('hex');
  const file = new URL('./cloud-process.ts', import.meta.url);
  return { ...(await startServer(file, JSON.stringify(settings), secret)), secret };
}

/** Runs in the server's process. Sends the address to the parent, and ends the process when the parent disconnects. */
export function announce(url: string, close: () => Promise<void>): void {
  process.send?.({ url });
  process.once('disconnect', () => {
    void close().then(() => process.exit(0));
  });
}

/** Runs in the server's process. Listens on a free loopback port until the parent disconnects. */
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
