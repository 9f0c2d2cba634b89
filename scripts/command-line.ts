import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A mistake of the person at the terminal: said in one line, without a stack. */
export class UsageError extends Error {}

/** Parses the flags of a script; `--help` prints the usage and ends the process. */
export function readFlags<Options extends NonNullable<ParseArgsConfig['options']>>(
  usage: string,
  options: Options,
) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ options, strict: true }).values;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UsageError(`${cause.message.replace(/\. To specify.*$/s, '.')} See --help.`);
  }
}

/** Runs a script's body; what it throws ends the process with code 1, a foreseen error as one line. */
export async function run(main: () => Promise<void>, isForeseen: (error: Error) => boolean = () => false) {
  try {
    await main();
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    console.error(error instanceof UsageError || isForeseen(error) ? error.message : error);
    process.exit(1);
  }
}
