import { isRecord, parseJson } from '../json.ts';

/** The faults to inject. Shares are from 0 to 1. */
export interface FaultSettings {
  /** Makes a run repeatable: with the same seed, the nth decision about one fault is the same. */
  readonly seed: number;
  /** How many times faster than real time the limits of the platform run, such as lifetimes and retries. */
  readonly clockSpeed: number;
  /** Share of posts to connections younger than a minute: answered 410 although the client is there. */
  readonly youngGone: number;
  /** Share of closed connections: `$disconnect` is never called. */
  readonly lostDisconnect: number;
  /** Cuts every connection without a close frame, at a random time up to twice this. 0 cuts none. */
  readonly cutAfterMs: number;
  /** Share of calls of the callback API: answered 429. */
  readonly throttled: number;
  /** Share of calls of the callback API: answered 500. Half of these messages are sent all the same. */
  readonly serverError: number;
  /** Share of new connections: they read so slowly that posts are soon answered 429. */
  readonly slowConsumer: number;
  /** Share of messages to clients: held back for a moment, so that later ones overtake them. */
  readonly reordered: number;
  /** Share of successful batches of a queue or stream: the function gets them once more. */
  readonly duplicateDelivery: number;
  /** Share of invocations: the environment is killed within the first 50 ms, unless it has finished. */
  readonly killedFunction: number;
}

export type FaultName = Exclude<keyof FaultSettings, 'seed' | 'clockSpeed'>;

/** An invalid setting. The message is one line with the field and the allowed values. */
export class FaultSettingsError extends Error {
  override readonly name = 'FaultSettingsError';
}

export const noFaults: FaultSettings = {
  seed: 1,
  clockSpeed: 1,
  youngGone: 0,
  lostDisconnect: 0,
  cutAfterMs: 0,
  throttled: 0,
  serverError: 0,
  slowConsumer: 0,
  reordered: 0,
  duplicateDelivery: 0,
  killedFunction: 0,
};

/** All faults at once, at rates that an application should survive unnoticed. */
export const allFaults: Omit<FaultSettings, 'seed' | 'clockSpeed'> = {
  youngGone: 0.02,
  lostDisconnect: 0.3,
  cutAfterMs: 10_000,
  throttled: 0.02,
  serverError: 0.02,
  slowConsumer: 0.1,
  reordered: 0.1,
  duplicateDelivery: 0.1,
  killedFunction: 0.002,
};

/** Reads settings. Missing ones come from `defaults`. */
export function readFaults(given: unknown, defaults: FaultSettings = noFaults): FaultSettings {
  if (!isRecord(given)) throw new FaultSettingsError('faults: must be a JSON object of numbers');
  for (const [name, value] of Object.entries(given)) {
    const fault = limitOf(name, value);
    if (fault !== undefined) throw new FaultSettingsError(`${name}: ${fault}`);
  }
  return { ...defaults, ...given };
}

/** Reads `throttled=0.05,cutAfterMs=5000`, `all`, or `all,seed=7`. */
export function parseFaults(text: string): Partial<FaultSettings> {
  const given: Record<string, unknown> = {};
  for (const part of text.split(',').map((each) => each.trim())) {
    const [name = '', value] = part.split('=', 2);
    if (part === 'all') Object.assign(given, allFaults);
    else given[name] = parseJson(value ?? '')?.value;
  }
  readFaults(given);
  return given;
}

function limitOf(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(noFaults, name)) return `is no fault; there are ${Object.keys(noFaults).join(', ')}`;
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number';
  if (name === 'seed') return Number.isSafeInteger(value) ? undefined : 'must be a whole number';
  if (name === 'clockSpeed')
    return value >= 0.001 && value <= 1_000_000 ? undefined : 'must be from 0.001 to 1000000';
  if (name === 'cutAfterMs') return value >= 0 ? undefined : 'must be at least 0';
  return value >= 0 && value <= 1 ? undefined : 'must be a share from 0 to 1';
}
