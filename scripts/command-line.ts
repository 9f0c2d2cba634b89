import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A mistake of the person at the terminal: said in one line, without a stack. */
export class UsageError extends Error {}

type Flags = NonNullable<ParseArgsConfig['options']>;

/** Parses the flags of a script; `--help` prints the usage and ends the process. */
export function readFlags<Options extends Flags>(usage: string, options: Options) {
  return readArguments(usage, options, false).values;
}

/** Parses the flags of a script and what stands beside them; `--help` prints the usage and ends the process. */
export function readArguments<Options extends Flags>(
  usage: string,
  options: Options,
  allowPositionals = true,
) {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ args: joinNegativeNumbers(args), options, strict: true, allowPositionals });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    // Its first sentence; what follows is advice on several lines.
    const [said = ''] = cause.message.split(/\.(?:\s|$)/);
    throw new UsageError(`${said}. See --help.`);
  }
}

/** A whole number from a flag, within its bounds. */
export function readWholeNumber(flag: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  const bounds = `a whole number from ${String(minimum)} to ${String(maximum)}`;
  throw new UsageError(`--${flag} must be ${bounds}, got ${JSON.stringify(text)}.`);
}

/** Runs a script's body; what it throws ends the process with code 1, a mistake of the user's as one line. */
export async function run(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (cause) {
    console.error(cause instanceof UsageError ? cause.message : cause);
    process.exit(1);
  }
}

/** `--ttl -5` as `--ttl=-5`, which is the only form that parseArgs takes for a value that begins with a dash. */
function joinNegativeNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    if (/^-\d+$/.test(arg) && last !== undefined && /^--[a-z]+$/.test(last))
      joined.splice(-1, 1, `${last}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}
