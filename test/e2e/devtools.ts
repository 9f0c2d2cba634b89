import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { findChromium } from '../../scripts/chromium.ts';
import { chromiumFlags } from './chromium.ts';

/** One tab that the DevTools protocol controls. */
export interface Tab {
  send(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Resolves to the value of the expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Opens a page in a Chromium without playwright. Playwright keeps every page focused and visible, and Chromium never
 * freezes a visible page.
 */
export async function openTab(url: string): Promise<Tab> {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'switchboard-chromium-'));
  const flags = [...chromiumFlags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const chromium = spawn(findChromium() ?? '', flags, { stdio: 'ignore' });
  const socket = new WebSocket(await pageAddress(profile));
  await once(socket, 'open');
  const waiting = new Map<number, (result: Record<string, unknown>) => void>();
  let count = 0;
  socket.on('message', (data: Buffer) => {
    const { id, result } = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown> };
    if (id !== undefined) waiting.get(id)?.(result ?? {});
  });
  const send: Tab['send'] = (method, params = {}) => {
    const id = (count += 1);
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => waiting.set(id, resolve));
  };
  await send('Page.enable');
  await send('Page.navigate', { url });
  return {
    send,
    async evaluate(expression) {
      const { result } = await send('Runtime.evaluate', { expression, returnByValue: true });
      return (result as { value?: unknown }).value;
    },
    async close() {
      socket.terminate();
      await end(chromium);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Chromium writes its port into its profile once it listens. */
async function pageAddress(profile: string): Promise<string> {
  for (;;) {
    try {
      const [port = ''] = (await readFile(path.join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
      const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
        type: string;
        webSocketDebuggerUrl: string;
      }[];
      const page = targets.find(({ type }) => type === 'page');
      if (page) return page.webSocketDebuggerUrl;
    } catch (cause) {
      // The file does not exist yet, or Chromium does not listen yet.
      const isNotYet =
        cause instanceof TypeError || (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT');
      if (!isNotYet) throw cause;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
