import { existsSync, readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Builds the page that is served at `/`, and the page of each example at `/{example}/`, into a folder. */
export async function buildSite(folder: string): Promise<void> {
  for (const file of ['index.html', 'console.css']) await cp(`console/${file}`, join(folder, file));
  await buildScript('console/console.ts', folder);
  for (const name of examplePages()) {
    const page = join('examples', name, 'page');
    const target = join(folder, name);
    await cp(join(page, 'index.html'), join(target, 'index.html'));
    await buildScript(join(page, 'page.ts'), target);
    await buildScript(join(page, 'page.css'), target);
  }
}

/** The names of the examples that have a page. `examples/app` is an app of its own, with a server of its own. */
export function examplePages(): readonly string[] {
  return readdirSync('examples')
    .filter((name) => name !== 'app' && existsSync(join('examples', name, 'page', 'index.html')))
    .sort();
}

async function buildScript(entry: string, outdir: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outdir,
    alias: { '@switchboard/client': './client/index.ts' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
}
