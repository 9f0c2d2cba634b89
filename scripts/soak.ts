import { FaultSettingsError, parseFaults } from '../local/faults/settings.ts';
import { soak, type SoakResult } from '../soak/soak.ts';
import { readFlags, readWholeNumber, run, UsageError } from '../cli/command-line.ts';
import { startCloudProcess } from './server-process.ts';

const usage = `npm run soak -- [--messages 100000] [--clients 50] [--seed 1] [--faults all] [--max-minutes 60]

Publishes durable messages to users, topics and everyone on a laptop cloud while faults are injected. Then compares
every message that a client got, by content, messageId and recipient, with what was published and what the logs hold.
Ends with code 1 if a message was lost, doubled, reordered, altered or given to the wrong client.

  --messages N      messages to publish
  --clients N       connected users, with one client each
  --seed N          the same seed makes the same choices: the channel of each message, the calls that fail
  --faults LIST     all, none, or a list such as throttled=0.05,cutAfterMs=5000 (docs/local.md names all faults)
  --max-minutes N   the longest duration; a longer run ends and fails`;

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
  // The limit is small, so that a publish to everyone goes through the fan-out.
  const cloud = await startCloudProcess({ inlineLimit: 10, shards: 2 });
  try {
    const result = await soak({ ...options, url: cloud.url, secret: cloud.secret, onProgress: console.log });
    console.log(report(result));
    if (!result.isSound) process.exitCode = 1;
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

function report({ seconds, isCutShort, counts, findings, examples, injected }: SoakResult): string {
  const table = (rows: object) =>
    Object.entries(rows).map(([name, count]) => `  ${name.padEnd(20)} ${String(count)}`);
  return [
    `\nIn ${seconds.toFixed(0)} s${isCutShort ? ', cut short' : ''}:`,
    ...table(counts),
    '\nBroken promises:',
    ...table(findings),
    ...examples.map((example) => `  ${example}`),
    '\nInjected faults:',
    ...table(injected),
  ].join('\n');
}
