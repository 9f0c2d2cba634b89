import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Finds a Chromium: `CHROME_PATH`, one on the PATH, or playwright's own. `undefined` if none exists. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const onPath = folders.flatMap((folder) => names.map((name) => path.join(folder, name)));
  return [process.env.CHROME_PATH, ...onPath, chromium.executablePath()].find(
    (file) => file !== undefined && file !== '' && existsSync(file),
  );
}

/** Installs a Chromium if none is found: Debian's package as root, otherwise playwright's download. */
export function installChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  console.log('Installing Chromium for the browser tests (once; about a minute) …');
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    succeed('apt-get', ['update', '-qq']);
    succeed('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  } else {
    succeed('npx', ['playwright-core', 'install', 'chromium']);
  }
  const installed = findChromium();
  if (installed === undefined) throw new Error('Chromium was installed but is not found; set CHROME_PATH.');
  return installed;
}

function succeed(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed; set CHROME_PATH to a Chromium.`, { cause: error });
}
