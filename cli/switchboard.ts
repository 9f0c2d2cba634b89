#!/usr/bin/env node
import { run, UsageError } from './command-line.ts';

const usage = `switchboard <command> [flags]

  token     prints a token for the stack that runs on this machine
  publish   publishes a message
  local     runs a synthesised CDK app on this machine; needs @switchboard/local

switchboard <command> --help explains the flags of a command.
Exit code 0: done. 1: refused. 2: wrong use.`;

/** Each command loads its own modules only: a token needs no AWS SDK. */
const commands = new Map<string, (args: readonly string[]) => Promise<void>>([
  ['token', async (args) => (await import('./token.ts')).token(args)],
  ['publish', async (args) => (await import('./publish.ts')).publish(args)],
  ['local', async (args) => (await import('./local.ts')).local(args)],
]);

await run(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name === '--help' || name === '-h') {
    console.log(usage);
    return;
  }
  if (name === undefined) throw new UsageError(usage);
  const command = commands.get(name);
  if (!command) {
    const known = [...commands.keys()].join(', ');
    throw new UsageError(`There is no command ${JSON.stringify(name)}. The commands are ${known}.`);
  }
  await command(args);
});
