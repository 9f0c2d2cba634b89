import { createPeers, type Peer } from './peers.ts';

/** The only argument of this program, as JSON. It runs bundled, and prints a list of costs. */
export interface RoundsOptions {
  readonly endpoint: string;
  readonly cert: string;
  readonly rounds: number;
}

export interface Cost {
  readonly peer: string;
  /** The median of the rounds. */
  readonly microsPerPost: number;
  readonly postsPerSecond: number;
}

const { endpoint, cert, rounds } = JSON.parse(process.argv[2] ?? '') as RoundsOptions;
const peers = createPeers({ endpoint, cert, payload: Buffer.alloc(1024, 'x') });
void measure().then((costs) => process.stdout.write(JSON.stringify(costs)));

/**
 * The peers take turns, so that other load on the machine affects all of them. Each round starts with another peer, so
 * that the order does not favour one.
 */
async function measure(): Promise<Cost[]> {
  const samples = new Map(peers.map((peer) => [peer, [] as Sample[]]));
  // Two rounds open the connections and let the compiler optimise the code. They are not counted.
  for (const peer of [...peers, ...peers]) await sampleOf(peer);
  for (let round = 0; round < rounds; round += 1) {
    const first = round % peers.length;
    for (const peer of [...peers.slice(first), ...peers.slice(0, first)]) {
      samples.get(peer)?.push(await sampleOf(peer));
    }
  }
  return [...samples].map(([peer, taken]) => {
    peer.close();
    return {
      peer: peer.name,
      microsPerPost: median(taken.map(({ cpuMicros }) => cpuMicros)) / peer.posts,
      postsPerSecond: (peer.posts / median(taken.map(({ wallMs }) => wallMs))) * 1000,
    };
  });
}

interface Sample {
  readonly cpuMicros: number;
  readonly wallMs: number;
}

async function sampleOf(peer: Peer): Promise<Sample> {
  const ids = Array.from(
    { length: peer.posts },
    (_, at) => `L0SM9cOFvHcC${at.toString(36).padStart(4, '0')}=`,
  );
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await peer.run(ids);
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMicros: user + system, wallMs: performance.now() - startedAt };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
