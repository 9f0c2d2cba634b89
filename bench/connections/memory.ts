import { createConnectionsClient } from '../../core/connections/client.ts';

/** The only argument of this program, as JSON. It runs bundled with `--expose-gc`, and prints its memory use. */
export interface MemoryOptions {
  readonly endpoint: string;
  readonly cert: string;
  readonly recipients: number;
}

export interface Memory {
  /** The highest live heap during the posts, measured after garbage collections. */
  readonly heapMb: number;
  readonly rssMb: number;
}

const { endpoint, cert, recipients } = JSON.parse(process.argv[2] ?? '') as MemoryOptions;
void measure().then((memory) => process.stdout.write(JSON.stringify(memory)));

async function measure(): Promise<Memory> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const connections = createConnectionsClient({ endpoint, region: 'us-east-1', credentials, ca: cert });
  const lookEvery = recipients / 20;
  let ended = 0;
  let heapBytes = 0;
  const onOutcome = () => {
    ended += 1;
    if (ended % lookEvery !== 0) return;
    globalThis.gc?.();
    heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
  };
  const { sent } = await connections.postAll(connectionIds(), connections.prepare('x'.repeat(1024)), {
    onOutcome,
  });
  connections.close();
  if (sent !== recipients) throw new Error(`Only ${sent} of ${recipients} posts were sent.`);
  // maxRSS is in kilobytes (process.resourceUsage).
  return { heapMb: heapBytes / 2 ** 20, rssMb: process.resourceUsage().maxRSS / 1024 };
}

/** Yields ids one by one, like the pages of sessions. */
function* connectionIds(): Generator<string> {
  for (let at = 0; at < recipients; at += 1) yield `L0SM9cOFvHcC${at.toString(36).padStart(4, '0')}=`;
}
