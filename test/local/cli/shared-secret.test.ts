import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readLocalClouds, readLocalSecret } from '../../../cli/local-secret.ts';
import { shareSecret } from '../../../local/cli/shared-secret.ts';

function newFolder(): string {
  const home = mkdtempSync(path.join(tmpdir(), 'home-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
  });
  return path.join(home, '.switchboard');
}

/** The id of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

// This process, and the one that started it: two that are alive.
const [own, other] = [process.pid, process.ppid];

describe('the secret of the clouds of a user', () => {
  it('is made by the first, in a file that only the user can read', async () => {
    const folder = newFolder();
    const { secret } = await shareSecret(folder, own);
    expect(secret).toMatch(/^[a-z0-9]{64}$/);
    expect(JSON.parse(readFileSync(path.join(folder, 'local.json'), 'utf8'))).toEqual({
      secret,
      pids: [own],
    });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(folder, 'local.json')).mode & 0o777).toBe(0o600);
    expect(readLocalSecret(folder)).toBe(secret);
  });

  it('is shared while one of them runs, and stays for tokens after the last', async () => {
    const folder = newFolder();
    const first = await shareSecret(folder, own);
    const second = await shareSecret(folder, other);
    expect(second.secret).toBe(first.secret);
    expect(readLocalClouds(folder)?.pids).toEqual([own, other]);
    await first.release();
    expect(readLocalClouds(folder)).toEqual({ secret: first.secret, pids: [other] });
    await second.release();
    expect(readLocalClouds(folder)).toEqual({ secret: first.secret, pids: [] });
  });

  it('is new at the next start', async () => {
    const folder = newFolder();
    const first = await shareSecret(folder, own);
    await first.release();
    expect((await shareSecret(folder, own)).secret).not.toBe(first.secret);
  });

  it('is new after those that were killed', async () => {
    const folder = newFolder();
    const killed = await shareSecret(folder, await endedPid());
    const { secret } = await shareSecret(folder, own);
    expect(secret).not.toBe(killed.secret);
    expect(readLocalClouds(folder)?.pids).toEqual([own]);
  });

  it('is one for starts at the same time: the second waits until the first has written', async () => {
    const folder = newFolder();
    const lock = path.join(folder, 'local.lock');
    mkdirSync(lock, { recursive: true, mode: 0o700 });
    const second = shareSecret(folder, own);
    // What the first start does while the second waits.
    writeFileSync(path.join(folder, 'local.json'), JSON.stringify({ secret: 'of the first', pids: [other] }));
    rmSync(lock, { recursive: true });
    expect((await second).secret).toBe('of the first');
    expect(readLocalClouds(folder)?.pids).toEqual([other, own]);
  });

  it('is released quietly if its folder is gone', async () => {
    const folder = newFolder();
    const shared = await shareSecret(folder, own);
    rmSync(folder, { recursive: true });
    await shared.release();
    expect(existsSync(folder)).toBe(false);
  });

  it('is not kept in a folder that others can open', async () => {
    const folder = newFolder();
    mkdirSync(folder);
    chmodSync(folder, 0o750);
    await expect(shareSecret(folder, own)).rejects.toMatchObject({
      name: 'Error',
      exitCode: 1,
      message: expect.stringContaining(`chmod 700 ${folder}`) as string,
    });
    expect(existsSync(path.join(folder, 'local.json'))).toBe(false);
  });

  it('names the folder that cannot be made', async () => {
    const folder = newFolder();
    writeFileSync(folder, 'a file');
    const message = expect.stringContaining(`cannot be kept in ${folder}`) as string;
    await expect(shareSecret(folder, own)).rejects.toMatchObject({ exitCode: 1, message });
  });

  it('is made even if a start was killed while it wrote', async () => {
    const folder = newFolder();
    const lock = path.join(folder, 'local.lock');
    mkdirSync(lock, { recursive: true, mode: 0o700 });
    const before = new Date(Date.now() - 60_000);
    utimesSync(lock, before, before);
    expect((await shareSecret(folder, own)).secret).toHaveLength(64);
    expect(existsSync(lock)).toBe(false);
  });
});
