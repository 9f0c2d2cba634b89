import { createServer, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { listen } from './listen.ts';
import { Queue } from './queue.ts';

/** Functions wait here. `waiting` has one callback for each of them, with which the test lets it go on. */
export async function startGate(): Promise<{ readonly url: string; readonly waiting: Queue<() => void> }> {
  const waiting = new Queue<() => void>();
  const server = createServer((request, response: ServerResponse) => {
    request.resume();
    waiting.push(() => void response.end());
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String(port)}`, waiting };
}

/** The line of code with which a function waits at the gate. */
export function waitAt(gate: { readonly url: string }): string {
  return `await fetch('${gate.url}');`;
}
