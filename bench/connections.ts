import { bundle, run } from './connections/bundle.ts';
import { measureColdStart } from './connections/cold-start.ts';
import type { Memory, MemoryOptions } from './connections/memory.ts';
import { peerNames } from './connections/peers.ts';
import type { Cost, RoundsOptions } from './connections/rounds.ts';
import { startStub } from './connections/stub.ts';

// Compares the CPU of a post with other clients. Also measures the size that the connections client adds to a function.
// All code runs bundled, as deployed: tsx wraps each closure, at a cost that differs between the peers.
const stub = await startStub();
const rounds = await bundle('rounds.ts');
const memory = await bundle('memory.ts');

for (const delayMs of [0, 10]) {
  const options: RoundsOptions = { endpoint: stub.endpoint(delayMs), cert: stub.cert, rounds: 6 };
  const costs = (await run(rounds.file, options)) as Cost[];
  reportCosts(`1 KB, 100 in flight, TLS, the peer answers after ${delayMs} ms`, costs);
  const ours = costOf(costs, peerNames.ours);
  check('CPU per post ÷ that of signed undici', ours / costOf(costs, peerNames.undici), 1.5);
  check('CPU per post ÷ that of node:https', ours / costOf(costs, peerNames.https), 1);
  check('CPU per post ÷ that of the SDK client', ours / costOf(costs, peerNames.sdk), 0.25);
}

console.log('\nMemory while posting      live heap, MB   process, MB');
const heaps: number[] = [];
for (const recipients of [1_000, 10_000, 100_000]) {
  const options: MemoryOptions = { endpoint: stub.endpoint(0), cert: stub.cert, recipients };
  const { heapMb, rssMb } = (await run(memory.file, options, ['--expose-gc'])) as Memory;
  heaps.push(heapMb);
  console.log(`${column(recipients, 0, 9)} recipients ${column(heapMb, 1, 18)} ${column(rssMb, 0, 13)}`);
}
check(
  'MB of heap for 100,000 recipients, minus that for 1,000',
  (heaps.at(-1) ?? NaN) - (heaps[0] ?? NaN),
  5,
);
stub.close();

const { plain, ours } = await measureColdStart();
console.log('\nCold start, minified CommonJS     KB   load and construct, ms');
console.log(`${'SDK client'.padEnd(26)} ${column(plain.kb, 1, 9)} ${column(plain.ms, 1, 24)}`);
console.log(`${peerNames.ours.padEnd(26)} ${column(ours.kb, 1, 9)} ${column(ours.ms, 1, 24)}`);
check('KB added to the SDK client', ours.kb - plain.kb, 20);
check('ms added to the SDK client', ours.ms - plain.ms, 5);

function reportCosts(title: string, costs: readonly Cost[]): void {
  const base = costOf(costs, peerNames.undici);
  console.log(`\n${title}\n${'peer'.padEnd(26)} µs CPU/post   ÷ undici    posts/s`);
  for (const { peer, microsPerPost, postsPerSecond } of costs) {
    const columns = [
      column(microsPerPost, 1, 11),
      column(microsPerPost / base, 2, 10),
      column(postsPerSecond, 0, 10),
    ];
    console.log(peer.padEnd(26), ...columns);
  }
}

function check(what: string, value: number, bound: number): void {
  const holds = value <= bound;
  if (!holds) process.exitCode = 1;
  console.log(`${holds ? 'holds ' : 'BROKEN'} ${what}: ${value.toFixed(2)}, at most ${bound}`);
}

function costOf(costs: readonly Cost[], name: string): number {
  return costs.find(({ peer }) => peer === name)?.microsPerPost ?? NaN;
}

function column(value: number, decimals: number, width: number): string {
  return value.toFixed(decimals).padStart(width);
}
