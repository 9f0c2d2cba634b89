import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { type CodeBlock, readPage, root } from './documents.ts';

const manifest = z.object({ exports: z.record(z.string(), z.object({ default: z.string() })) });

/** Makes the app of a page in a folder outside the repository: its packages, and the files that its blocks name. */
export function makeApp(folder: string, blocks: readonly CodeBlock[]): string {
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  const app = path.join(folder, 'app');
  mkdirSync(app);
  writeFileSync(path.join(app, 'package.json'), '{"type":"module"}');
  linkPackage(path.join(app, 'node_modules/switchboard'));
  for (const { file, code } of blocks) if (file !== undefined) writeFileSync(path.join(app, file), code);
  return app;
}

/** The package `switchboard`, whose exports are the sources of this repository, not what a build made of them. */
function linkPackage(target: string): void {
  const { exports } = manifest.parse(JSON.parse(readPage('package.json')));
  const sources = Object.entries(exports).map(([name, { default: built }]) => [
    name,
    built.replace('./dist/', './').replace(/\.js$/, '.ts'),
  ]);
  mkdirSync(target, { recursive: true });
  const sourceManifest = {
    name: 'switchboard',
    type: 'module',
    exports: Object.fromEntries(sources) as object,
  };
  writeFileSync(path.join(target, 'package.json'), JSON.stringify(sourceManifest));
  for (const name of ['core', 'lib', 'protocol', 'publisher']) {
    symlinkSync(path.join(root, name), path.join(target, name), 'dir');
  }
}
