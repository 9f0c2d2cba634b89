import { setTimeout as wait } from 'node:timers/promises';
import type { FaultSettings } from '../local/index.ts';
import { allChannels } from './audience.ts';
import { compare, type Comparison, missedBy } from './compare.ts';
import { readLog } from './logs.ts';
import { createPublishers } from './publishers.ts';
import { openSubscribers } from './subscribers.ts';

export interface SoakOptions {
  /** The address of a laptop cloud, `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Signs the tokens of the clients. */
  readonly secret: string;
  readonly messages: number;
  readonly clients: number;
  /** The same seed gives the same channels, contents and failing calls. */
  readonly seed: number;
  readonly faults: Partial<FaultSettings>;
  /** The longest duration of the run. It then ends even if messages are outstanding. */
  readonly maxSeconds: number;
  readonly onProgress?: (line: string) => void;
}

export interface SoakResult extends Comparison {
  /** Whether the run was complete and without findings. */
  readonly isSound: boolean;
  /** Whether time ran out before all messages were published and received. */
  readonly isCutShort: boolean;
  readonly seconds: number;
  readonly counts: {
    readonly published: number;
    /** The number of retries of failed publishes. */
    readonly retried: number;
    /** The number of messages that all clients received together. */
    readonly received: number;
    /** The number of reconnects of all clients, without renewals. */
    readonly reconnects: number;
    /** The number of offsets without a message. */
    readonly holes: number;
  };
  /** The number of injections of each fault. */
  readonly injected: Readonly<Record<string, number>>;
}

const quietMs = 1000;

/**
 * Publishes durable messages to users, topics and everyone while faults are injected. Then compares the messages of
 * every client with the published messages and with the logs.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { url, secret, messages, clients, seed, maxSeconds } = options;
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const subscribers = await openSubscribers({ url, secret }, clients);
  const before = await readMeter(url);
  await putFaults(url, { ...options.faults, seed });

  const publishers = createPublishers({ url, messages, clients, seed });
  const progress = setInterval(() => {
    const { published, retried } = publishers.counts;
    const { received, reconnects } = subscribers.counts;
    options.onProgress?.(
      `${seconds().toFixed(0)} s: published ${published} of ${messages} (${retried} retries), ` +
        `received ${received}, reconnected ${reconnects} times`,
    );
  }, 5000);
  try {
    const isPublished = await publishers.run(maxSeconds * 1000 - seconds() * 1000);
    const injected = faultsSince(before, await readMeter(url));
    await putFaults(url, {});
    const logs = await Promise.all(allChannels(clients).map((channel) => readLog(url, channel)));
    const isReceived = () => subscribers.all.every((each) => missedBy(each, logs).length === 0);
    while (!isReceived() && seconds() < maxSeconds) await wait(200);
    // A second copy may arrive after all other messages.
    for (let received = -1; received !== subscribers.counts.received;) {
      ({ received } = subscribers.counts);
      await wait(quietMs);
    }
    const { published } = publishers;
    const comparison = compare({ published, logs, subscribers: subscribers.all });
    const isCutShort = !isPublished || !isReceived();
    const holes = logs.reduce((sum, log) => sum + log.holes, 0);
    return {
      ...comparison,
      isSound: !isCutShort && Object.values(comparison.findings).every((count) => count === 0),
      isCutShort,
      seconds: seconds(),
      counts: { ...publishers.counts, ...subscribers.counts, holes },
      injected,
    };
  } finally {
    clearInterval(progress);
    await putFaults(url, {});
    await subscribers.close();
  }
}

async function putFaults(url: string, faults: Partial<FaultSettings>): Promise<void> {
  const response = await fetch(`${url}/_local/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  if (!response.ok) throw new Error(`The faults were refused: ${await response.text()}`);
}

async function readMeter(url: string): Promise<Record<string, number>> {
  return (await (await fetch(`${url}/_local/meter`)).json()) as Record<string, number>;
}

/** The meter counts each fault as `faults.<name>`. */
function faultsSince(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const faults = Object.entries(after).filter(([name]) => name.startsWith('faults.'));
  return Object.fromEntries(
    faults.map(([name, count]) => [name.replace('faults.', ''), count - (before[name] ?? 0)]),
  );
}
