import { cp } from 'node:fs/promises';
import { build } from 'esbuild';

/** Builds the page that is served at `/` into a folder. */
export async function buildSite(folder: string): Promise<void> {
  await cp('console/index.html', `${folder}/index.html`);
  await build({
    entryPoints: ['console/console.ts'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
}
