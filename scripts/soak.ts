import { startServer } from '../bench/server-process.ts';
import { FaultSettingsError, parseFaults } from '../local/faults/settings.ts';
import { soak, type SoakResult } from '../soak/soak.ts';
import { readFlags, readWholeNumber, run, UsageError } from '../cli/command-line.ts';

const usage = `npm run soak -- [--messages 100000] [--clients 50] [--seed 1] [--faults all] [--max-minutes 60]

Publishes durable messages to users, topics and everyone on a laptop cloud while faults strike, and compares what every
client was given with what the logs hold. Ends with code 1 where one message was lost, doubled or out of order.

  --messages N      how many are published
  --clients N       how many users are connected, with one client each
  --seed N          the same seed makes the same choices: who is published to, which calls fail
  --faults LIST     all, none, or a list such as throttled=0.05,cutAfterMs=5000 (docs/local.md has their names)
  --max-minutes N   ends the run after so long, and fails it`;

await run(async () => {
  const flags = readFlags(usage, {
    messages: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: 'all' },
    'max-minutes': { type: 'string', default: '60' },
  });
  const options = {
    messages: readWholeNumber('messages', flags.messages, 1, 10_000_000),
    clients: readWholeNumber('clients', flags.clients, 1, 1000),
    seed: readWholeNumber('seed', flags.seed, 0, 2 ** 31),
    faults: readFaults(flags.faults),
    maxSeconds: 60 * readWholeNumber('max-minutes', flags['max-minutes'], 1, 1440),
  };
  console.log('Starting a laptop cloud …');
  const cloud = await startServer(new URL('../soak/cloud-process.ts', import.meta.url).href);
  try {
    const result = await soak({ ...options, url: cloud.url, onProgress: console.log });
    console.log(report(result));
    if (!isSound(result)) process.exitCode = 1;
  } finally {
    cloud.close();
  }
});

function readFaults(text: string) {
  try {
    return text === 'none' ? {} : parseFaults(text);
  } catch (cause) {
    if (!(cause instanceof FaultSettingsError)) throw cause;
    throw new UsageError(`--faults ${cause.message}.`, { cause });
  }
}

function isSound({ lost, doubled, outOfOrder, lostEvents, notStored, storedTwice, isCutShort }: SoakResult) {
  return lost + doubled + outOfOrder + lostEvents + notStored + storedTwice === 0 && !isCutShort;
}

function report(result: SoakResult): string {
  const { seconds, fired, isCutShort, examples, ...counts } = result;
  const table = (rows: Readonly<Record<string, number>>) =>
    Object.entries(rows).map(([name, count]) => `  ${name.padEnd(20)} ${count}`);
  return [
    `\nIn ${seconds.toFixed(0)} s${isCutShort ? ', cut short' : ''}:`,
    ...table(counts),
    ...examples.map((example) => `  ${example}`),
    '\nFaults that struck:',
    ...table(fired),
  ].join('\n');
}
