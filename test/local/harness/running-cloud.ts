import { onTestFinished } from 'vitest';
import { startCloud, type Cloud, type CloudOptions } from '../../../local/index.ts';
import { Client } from './client.ts';
import { Queue } from './queue.ts';
import { writeAssembly, type Resources } from './inline-functions.ts';

export interface RunningCloud extends Cloud {
  /** `ws://127.0.0.1:PORT/live` */
  readonly webSocketUrl: string;
  /** Every line of the log so far. */
  readonly lines: readonly string[];
  /** The events a function gets, in order. */
  readonly events: (functionName: string) => Queue<LambdaEvent>;
  connect(query?: string, protocols?: string[], headers?: Readonly<Record<string, string>>): Client;
}

export interface LambdaEvent {
  readonly [field: string]: unknown;
  readonly requestContext: Readonly<Record<string, unknown>>;
}

/** Starts a cloud of these resources on a free port; it ends with the test. */
export async function runCloud(
  resources: Resources,
  options: Partial<CloudOptions> = {},
): Promise<RunningCloud> {
  const events = new Map<string, Queue<LambdaEvent>>();
  const eventsOf = (name: string): Queue<LambdaEvent> => {
    const queue = events.get(name) ?? new Queue<LambdaEvent>();
    events.set(name, queue);
    return queue;
  };
  const lines: string[] = [];
  const onLog = (line: string): void => {
    lines.push(line);
    const event = /^ {2}(\w+): EVENT (.*)$/.exec(line);
    if (event?.[1] === undefined || event[2] === undefined) return;
    eventsOf(event[1]).push(JSON.parse(event[2]) as LambdaEvent);
  };
  const assembly = await writeAssembly(resources);
  const cloud = await startCloud({ assembly, port: 0, onLog, ...options });
  const clients: Client[] = [];
  onTestFinished(async () => {
    await cloud.close();
    for (const client of clients) client.socket.terminate();
  });
  const webSocketUrl = `ws://127.0.0.1:${String(cloud.port)}/live`;
  return {
    ...cloud,
    webSocketUrl,
    lines,
    events: eventsOf,
    connect(query = '', protocols = [], headers = {}) {
      const client = new Client(webSocketUrl + query, protocols, headers);
      clients.push(client);
      return client;
    },
  };
}
