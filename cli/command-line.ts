import { parseArgs, type ParseArgsConfig } from 'node:util';

/** A refusal that the user can act on. It is printed as one line without a stack, and the exit code is 1. */
export class CommandError extends Error {
  readonly exitCode: number = 1;
}

/** A command that was typed wrongly. Its exit code is 2. */
export class UsageError extends CommandError {
  override readonly exitCode = 2;
}

type FlagOptions = NonNullable<ParseArgsConfig['options']>;
type Parsed<Options extends FlagOptions> = ReturnType<
  typeof parseArgs<{ options: Options; strict: true; allowPositionals: boolean }>
>;

/** Reads the flags of a command. `--help` prints the usage and ends the process. */
export function readFlags<Options extends FlagOptions>(
  usage: string,
  options: Options,
  args: readonly string[] = process.argv.slice(2),
): Parsed<Options>['values'] {
  return readArguments(usage, options, args, false).values;
}

/** Reads flags and the words between them. `--help` prints the usage and ends the process. */
export function readArguments<Options extends FlagOptions>(
  usage: string,
  options: Options,
  args: readonly string[] = process.argv.slice(2),
  allowPositionals = true,
): Parsed<Options> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ args: joinNegativeNumbers(args), options, strict: true, allowPositionals });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    // Node's message goes on with advice over several lines. Its first sentence names the fault.
    const [fault = ''] = cause.message.split(/\.(?:\s|$)/);
    throw new UsageError(`${fault}. See --help.`);
  }
}

/** A whole number from a flag, within its bounds. */
export function readWholeNumber(flag: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  const bounds = `a whole number from ${String(minimum)} to ${String(maximum)}`;
  throw new UsageError(`--${flag} must be ${bounds}, got ${JSON.stringify(text)}.`);
}

/** Runs a command. A `CommandError` is printed as one line and sets the exit code; any other error is a bug: 1. */
export async function run(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (cause) {
    const isExpected = cause instanceof CommandError;
    console.error(isExpected ? cause.message : cause);
    process.exit(isExpected ? cause.exitCode : 1);
  }
}

/** Turns `--ttl -5` into `--ttl=-5`: parseArgs takes no other form for a value that begins with a dash. */
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
