import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './command-line.ts';

/** What the laptop clouds of a user have in common, in the file `local.json` of their folder. */
export interface LocalClouds {
  /** What the generated secrets of their templates hold. */
  readonly secret: string;
  /** The processes that run a cloud with this secret. */
  readonly pids: readonly number[];
}

/** The folder that only this user can open. */
export function localFolder(): string {
  return join(homedir(), '.switchboard');
}

export function localFile(folder: string): string {
  return join(folder, 'local.json');
}

/** The secret that the tokens of this machine are signed with: that of the clouds that run, or of the last that ran. */
export function readLocalSecret(folder = localFolder()): string {
  const clouds = readLocalClouds(folder);
  if (clouds) return clouds.secret;
  throw new CommandError(
    `No laptop cloud has been started yet (${localFile(folder)} is not there): npm start, or npx switchboard-local.`,
  );
}

/** `undefined` if no cloud has been started yet. */
export function readLocalClouds(folder: string): LocalClouds | undefined {
  const file = localFile(folder);
  if (!existsSync(file)) return undefined;
  const clouds = parse(readFileSync(file, 'utf8'));
  if (isClouds(clouds)) return clouds;
  throw new CommandError(`${file} does not have the form that a laptop cloud writes: remove it.`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return undefined;
  }
}

function isClouds(value: unknown): value is LocalClouds {
  if (typeof value !== 'object' || value === null || !('secret' in value) || !('pids' in value)) return false;
  const { secret, pids } = value;
  return typeof secret === 'string' && secret !== '' && Array.isArray(pids) && pids.every(isPid);
}

/** 0 and negative numbers name groups of processes. */
function isPid(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}
