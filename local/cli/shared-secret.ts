import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CommandError } from '../../cli/command-line.ts';
import { type LocalClouds, localFile, localFolder, readLocalClouds } from '../../cli/local-secret.ts';
import { makePrivateFolder, OpenFolderError } from '../private-folder.ts';
import { newSecret } from '../services/secrets.ts';

export interface SharedSecret {
  readonly secret: string;
  /** Ends the use by this process. */
  release(): Promise<void>;
}

/**
 * The secret of the clouds that run at the same time, so that one command signs tokens for all of them. The first of them
 * makes it. It is kept in a file that only this user can read.
 */
export async function shareSecret(folder = localFolder(), pid = process.pid): Promise<SharedSecret> {
  const others = (clouds: LocalClouds | undefined) =>
    (clouds?.pids ?? []).filter((each) => each !== pid && isAlive(each));

  const join = () => {
    const before = readLocalClouds(folder);
    const pids = others(before);
    const secret = before && pids.length > 0 ? before.secret : newSecret(randomBytes);
    write(folder, { secret, pids: [...pids, pid] });
    return secret;
  };
  const leave = () => {
    const clouds = readLocalClouds(folder);
    if (clouds) write(folder, { ...clouds, pids: others(clouds) });
  };

  try {
    makePrivateFolder(folder);
    const secret = await alone(folder, join);
    // A folder that the user has removed meanwhile names no process.
    return { secret, release: async () => (existsSync(folder) ? alone(folder, leave) : undefined) };
  } catch (cause) {
    if (!(cause instanceof Error) || (!(cause instanceof OpenFolderError) && codeOf(cause) === undefined))
      throw cause;
    const what = `The secret that signs tokens cannot be kept in ${folder}.`;
    throw new CommandError(`${what} ${cause.message}`, { cause });
  }
}

/** Replaces the file in one step, so that no reader finds half of it. */
function write(folder: string, clouds: LocalClouds): void {
  const file = localFile(folder);
  writeFileSync(`${file}.new`, `${JSON.stringify(clouds)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // Signal 0 only asks.
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'ESRCH') return false;
    if (codeOf(cause) === 'EPERM') return true; // It is there, and belongs to another user.
    throw cause;
  }
}

/** The work takes milliseconds. A lock of this age was left by a process that was killed. */
const abandonedMs = 5000;

/** Runs the work in no two processes at once: of two first starts, each would make a secret. */
async function alone<Result>(folder: string, work: () => Result): Promise<Result> {
  const lock = path.join(folder, 'local.lock');
  while (!take(lock)) await wait(10);
  try {
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause;
    const madeAt = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - madeAt > abandonedMs) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
