import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle, run } from './bundle.ts';

export interface ColdStart {
  readonly kb: number;
  /** The time to load and construct the client, in milliseconds. */
  readonly ms: number;
}

const runs = 31;

/** Measures the SDK's client and ours in turns. A fresh Node process loads the client each time. */
export async function measureColdStart(): Promise<{ plain: ColdStart; ours: ColdStart }> {
  const plain = await bundle('cold-plain.ts');
  const ours = await bundle('cold-ours.ts');
  const loader = join(dirname(ours.file), 'load.cjs');
  writeFileSync(loader, loaderSource);
  const taken = { plain: [] as number[], ours: [] as number[] };
  for (let at = 0; at < runs; at += 1) {
    taken.plain.push(await load(plain.file, loader));
    taken.ours.push(await load(ours.file, loader));
  }
  return {
    plain: { kb: plain.bytes / 1000, ms: median(taken.plain) },
    ours: { kb: ours.bytes / 1000, ms: median(taken.ours) },
  };
}

const loaderSource = `const startedAt = performance.now();
require(JSON.parse(process.argv[2]).file);
console.log(JSON.stringify({ ms: performance.now() - startedAt }));
`;

async function load(file: string, loader: string): Promise<number> {
  const { ms } = (await run(loader, { file })) as { ms: number };
  return ms;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
