import { createPoster } from '../core/poster.ts';
import { bundle, run } from './poster-bundle.ts';

export interface MemoryOptions {
  readonly endpoint: string;
  readonly cert: string;
  readonly recipients: number;
}

export interface Memory {
  readonly recipients: number;
  /** Highest live heap while posting, collected before each look. */
  readonly heapMb: number;
  readonly rssMb: number;
}

export async function measureMemory(options: MemoryOptions): Promise<Memory> {
  const source = `import { postAndWatch } from './poster-memory.ts';
    void postAndWatch(JSON.parse(process.argv[2])).then((memory) => console.log(JSON.stringify(memory)));`;
  const { file } = await bundle('poster-memory', source);
  return (await run(file, options, ['--expose-gc'])) as Memory;
}

/** Posts to recipients that are made up one by one, as pages of sessions would bring them. */
export async function postAndWatch({ endpoint, cert, recipients }: MemoryOptions): Promise<Memory> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const poster = createPoster({ endpoint, region: 'us-east-1', credentials, ca: cert });
  const lookEvery = recipients / 20;
  let ended = 0;
  let heapBytes = 0;
  const onOutcome = () => {
    ended += 1;
    if (ended % lookEvery !== 0) return;
    globalThis.gc?.();
    heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
  };
  const { sent } = await poster.postAll(connectionIds(recipients), poster.prepare('x'.repeat(1024)), {
    onOutcome,
  });
  poster.close();
  if (sent !== recipients) throw new Error(`Only ${sent} of ${recipients} posts were sent.`);
  // maxRSS is in kilobytes (process.resourceUsage).
  return { recipients, heapMb: heapBytes / 2 ** 20, rssMb: process.resourceUsage().maxRSS / 1024 };
}

function* connectionIds(count: number): Generator<string> {
  for (let at = 0; at < count; at += 1) yield `L0SM9cOFvHcC${at.toString(36).padStart(4, '0')}=`;
}
