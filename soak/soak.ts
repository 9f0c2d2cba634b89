import { setTimeout as wait } from 'node:timers/promises';
import type { FaultSettings } from '../local/index.ts';
import { compare, type Finding } from './compare.ts';
import { openListeners } from './listeners.ts';
import { readLog } from './logs.ts';
import { channelsOf, createPublishers } from './publishers.ts';

export interface SoakOptions {
  /** Of a laptop cloud, `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly messages: number;
  readonly clients: number;
  /** Who is published to, and the faults: the same seed, the same choices. */
  readonly seed: number;
  readonly faults: Partial<FaultSettings>;
  /** After so long it ends, whatever has come. */
  readonly maxSeconds: number;
  readonly onProgress?: (line: string) => void;
}

export interface SoakResult extends Finding {
  readonly published: number;
  /** Publishes that failed and were tried again. */
  readonly retried: number;
  /** Messages that clients were given, all together. */
  readonly received: number;
  /** Connections beyond the first of each client. */
  readonly reconnects: number;
  readonly seconds: number;
  /** How often each fault struck. */
  readonly fired: Readonly<Record<string, number>>;
  /** It ended before everything was published and received. */
  readonly isCutShort: boolean;
}

const quietMs = 1000;

/**
 * Publishes durable messages to users, topics and everyone while faults strike, and compares what each client was given
 * with what the logs hold.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { url, messages, clients, seed, maxSeconds } = options;
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const listeners = await openListeners(url, clients);
  const before = await readMeter(url);
  await putFaults(url, { ...options.faults, seed });

  const publishers = createPublishers({ url, messages, clients, seed });
  const progress = setInterval(() => {
    const { published, retried } = publishers.counts;
    const { received, reconnects } = listeners.counts;
    options.onProgress?.(
      `${seconds().toFixed(0)} s: published ${published} of ${messages} (${retried} tried again), ` +
        `received ${received}, reconnected ${reconnects} times`,
    );
  }, 5000);
  try {
    const isPublished = await publishers.run(maxSeconds * 1000 - seconds() * 1000);
    const fired = difference(before, await readMeter(url));
    await putFaults(url, {});
    const logs = await Promise.all(channelsOf(clients).map((channel) => readLog(url, channel)));
    const isReceived = () => listeners.all.every((listener) => listener.hasAll(logs));
    while (!isReceived() && seconds() < maxSeconds) await wait(100);
    // What comes twice may come late.
    for (let received = -1; received !== listeners.counts.received;) {
      ({ received } = listeners.counts);
      await wait(quietMs);
    }
    return {
      ...compare(logs, listeners.all, publishers.acknowledged),
      ...publishers.counts,
      ...listeners.counts,
      seconds: seconds(),
      fired,
      isCutShort: !isPublished || !isReceived(),
    };
  } finally {
    clearInterval(progress);
    await putFaults(url, {});
    await listeners.close();
  }
}

async function putFaults(url: string, faults: Partial<FaultSettings>): Promise<void> {
  const response = await fetch(`${url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  if (!response.ok) throw new Error(`The faults were refused: ${await response.text()}`);
}

async function readMeter(url: string): Promise<Record<string, number>> {
  return (await (await fetch(`${url}/_local/meter`)).json()) as Record<string, number>;
}

function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const faults = Object.entries(after).filter(([name]) => name.startsWith('faults.'));
  return Object.fromEntries(
    faults.map(([name, count]) => [name.replace('faults.', ''), count - (before[name] ?? 0)]),
  );
}
