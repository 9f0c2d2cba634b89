import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { type BrowserContext, chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.ts';

export const chromiumFlags =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** Starts the machine's Chromium with a new profile. */
export async function startBrowser(): Promise<Browser> {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'switchboard-chromium-'));
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('There is no Chromium; npm test installs one.');
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: chromiumFlags });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Builds a folder with a page that runs this code. The code may import `@switchboard/client`. */
export async function buildPage(code: string): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-page-'));
  await build({
    stdin: { contents: code, loader: 'ts', resolveDir: import.meta.dirname },
    alias: { '@switchboard/client': path.join(import.meta.dirname, '../../client/index.ts') },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    outfile: path.join(folder, 'page.js'),
  });
  await writeFile(
    path.join(folder, 'index.html'),
    '<!doctype html><title>page</title><script type="module" src="/page.js"></script>',
  );
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
