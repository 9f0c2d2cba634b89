import { resolve } from 'node:path';
import { readWholeNumber, UsageError } from '../../cli/command-line.ts';
import { type FaultSettings, FaultSettingsError, parseFaults } from '../faults/settings.ts';
import { OriginError, readOrigins } from '../loopback.ts';

/** The flags of the commands that run a cloud. */
export const cloudFlags = {
  port: { type: 'string', default: '8080' },
  stack: { type: 'string', multiple: true },
  parameter: { type: 'string', multiple: true },
  strict: { type: 'boolean', default: false },
  data: { type: 'string' },
  'allow-origin': { type: 'string', multiple: true },
  faults: { type: 'string' },
  'clock-speed': { type: 'string', default: '1' },
  watch: { type: 'boolean', default: false },
} as const;

export const cloudFlagsHelp = `  --port N          the port of all APIs, on 127.0.0.1; 0 picks a free one (default 8080)
  --stack NAME      runs this stack alone; may be repeated (default: all stacks of the app)
  --parameter N=V   the value of a template's parameter; may be repeated (default: its default)
  --strict          refuses a resource of a type that does not run here
  --data DIR        keeps the tables in this folder, which only its owner may open (default: in memory)
  --allow-origin O  lets pages of this origin call too, such as https://app.example.com; may be repeated
  --faults LIST     faults to inject: all, or a list such as throttled=0.05,cutAfterMs=5000,seed=7
  --clock-speed N   how many times faster the platform's limits run: at 3600, two hours take two seconds
  --watch           runs each saved change of the app at once; connections stay open`;

type Flags = Readonly<Record<'port' | 'clock-speed', string>> &
  Readonly<Partial<Record<'data' | 'faults', string | undefined>>> &
  Readonly<Partial<Record<'stack' | 'parameter' | 'allow-origin', string[] | undefined>>> & {
    readonly strict: boolean;
  };

export function readCloudFlags(flags: Flags) {
  const port = readWholeNumber('port', flags.port, 0, 65535);
  if (flags.data === '') throw new UsageError('--data needs a folder.');
  const clockSpeed = readSpeed(flags['clock-speed']);
  const faults = readFaults(flags.faults);
  const allowOrigins = readAllowed(flags['allow-origin'] ?? []);
  return {
    port,
    clockSpeed,
    faults,
    allowOrigins,
    strict: flags.strict,
    stacks: flags.stack ?? [],
    parameters: Object.fromEntries((flags.parameter ?? []).map(readParameter)),
    ...(flags.data !== undefined && { dataDir: resolve(flags.data) }),
  };
}

function readSpeed(text: string): number {
  const speed = Number(text);
  if (speed >= 0.001 && speed <= 1_000_000) return speed;
  throw new UsageError(`--clock-speed must be from 0.001 to 1000000, got ${JSON.stringify(text)}.`);
}

function readParameter(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`--parameter must be NAME=VALUE, got ${JSON.stringify(text)}.`);
}

function readAllowed(texts: readonly string[]): readonly string[] {
  try {
    return [...readOrigins(texts.flatMap((text) => text.split(',')).map((text) => text.trim()))];
  } catch (cause) {
    if (!(cause instanceof OriginError)) throw cause;
    throw new UsageError(`--allow-origin ${cause.message}.`, { cause });
  }
}

function readFaults(text: string | undefined): Partial<FaultSettings> {
  try {
    return text === undefined ? {} : parseFaults(text);
  } catch (cause) {
    if (!(cause instanceof FaultSettingsError)) throw cause;
    throw new UsageError(`--faults ${cause.message}.`, { cause });
  }
}
