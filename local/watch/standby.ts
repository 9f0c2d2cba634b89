import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../../cli/command-line.ts';
import { type CdkApp, startSynthesis, type Synthesis, type SynthesisResult } from './synthesis.ts';

/** Synthesises an app again and again. Between two times, the next process waits with the CDK loaded. */
export interface Standby {
  /** Starts the next process. Resolves once it waits, or has ended, or if the app's command cannot wait. */
  prepare(): Promise<void>;
  /** Rejects with a CommandError for a mistake in cdk.json. */
  run(): Promise<SynthesisResult>;
  close(): Promise<void>;
}

/** One program of Node. What runs before it in a chain, such as a compiler, would miss the change. */
const mayWait = /^(?:npx )?(?:node|tsx|ts-node) [^;&|<>$`]*$/;

const preload = new URL('./standby.mjs', import.meta.url).href;

/** `readApp` is called for each process, because the settings of the app may have changed. */
export async function createStandby(readApp: () => CdkApp): Promise<Standby> {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-watch-'));
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${folder}` : join(folder, 'socket');
  const waiting = new Set<Socket>();
  let isReleased = false;
  let onWaiting: () => void = () => undefined;
  let next: { readonly synthesis: Synthesis; readonly app: string } | undefined;
  let running: Synthesis | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // A later process of the same command must not wait for another change.
    if (isReleased) socket.end('go');
    else {
      waiting.add(socket.once('close', () => waiting.delete(socket)));
      onWaiting();
    }
  });
  server.listen(path);
  await once(server, 'listening');

  return {
    prepare() {
      isReleased = false;
      const app = readIfRight();
      if (app === undefined || !mayWait.test(app.command)) return Promise.resolve();
      const { NODE_OPTIONS: options = '' } = process.env;
      const synthesis = startSynthesis(app, {
        NODE_OPTIONS: `${options} --import ${preload}`.trim(),
        SWITCHBOARD_STANDBY: path,
      });
      next = { synthesis, app: JSON.stringify(app) };
      const waits = new Promise<void>((resolve) => (onWaiting = resolve));
      return Promise.race([waits, synthesis.result.then(() => undefined)]);
    },
    async run() {
      running = take();
      return running.result;
    },
    async close() {
      next?.synthesis.end();
      running?.end();
      for (const socket of waiting) socket.destroy();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };

  /** `undefined`: a mistake in cdk.json, which the next run reports. */
  function readIfRight(): CdkApp | undefined {
    try {
      return readApp();
    } catch (cause) {
      if (cause instanceof CommandError) return undefined;
      throw cause;
    }
  }

  /** A process that does not wait has already read the sources as they were. Another program than Node never waits. */
  function take(): Synthesis {
    const prepared = next;
    next = undefined;
    const app = readApp();
    if (prepared !== undefined && waiting.size > 0 && prepared.app === JSON.stringify(app)) {
      isReleased = true;
      for (const socket of waiting) socket.end('go');
      return prepared.synthesis;
    }
    prepared?.synthesis.end();
    return startSynthesis(app);
  }
}
