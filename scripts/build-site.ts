import { cp } from 'node:fs/promises';
import { build } from 'esbuild';

/** Builds the page that is served at `/` into a folder. */
export async function buildSite(folder: string): Promise<void> {
  for (const file of ['index.html', 'console.css']) await cp(`console/${file}`, `${folder}/${file}`);
  await build({
    entryPoints: ['console/console.ts'],
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
}
