import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { canInstallPackages, findProgram, installPackage, succeed } from './debian-packages.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Finds a Chromium: `CHROME_PATH`, one on the PATH, or playwright's own. `undefined` if none exists. */
export function findChromium(): string | undefined {
  return [process.env.CHROME_PATH, findProgram(names), chromium.executablePath()].find(
    (file) => file !== undefined && file !== '' && existsSync(file),
  );
}

/** Installs a Chromium if none is found: Debian's package as root, otherwise playwright's download. */
export function installChromium(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  console.log('Installing Chromium for the browser tests (once; about a minute) …');
  if (canInstallPackages()) installPackage('chromium');
  else succeed('npx', ['playwright-core', 'install', 'chromium']);
  const installed = findChromium();
  if (installed === undefined) throw new Error('Chromium was installed but is not found; set CHROME_PATH.');
  return installed;
}
