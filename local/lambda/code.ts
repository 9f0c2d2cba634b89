import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionSettings } from './settings.ts';

export interface InstalledCode {
  readonly folder: string;
  remove(): void;
}

/**
 * Copies the code of a function into its own folder, as Lambda unpacks it to /var/task. In the folder of the assembly,
 * it would find the `"type": "module"` and the node_modules of the package around it.
 */
export function installCode({ name, code, layers }: FunctionSettings): InstalledCode {
  const root = mkdtempSync(join(tmpdir(), `${name.slice(0, 40)}-`));
  const folder = join(linkSdk(root, 'folder' in code ? [code.folder] : []), 'task');
  mkdirSync(folder);
  for (const layer of layers) {
    // Node's folder in a layer (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
    const modules = join(layer, 'nodejs', 'node_modules');
    if (existsSync(modules)) cpSync(modules, join(folder, 'node_modules'), { recursive: true });
  }
  if ('inline' in code) writeFileSync(join(folder, 'index.js'), code.inline);
  else cpSync(code.folder, folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{"type":"commonjs"}');
  return {
    folder,
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/**
 * Lambda's runtime brings the AWS SDK, so bundles leave it out. Here it comes from the packages of the app, or else from
 * those of this package: no other package is linked, since Lambda would not have it either. Node looks for a package in
 * the folders above a module, the nearest first. https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
function linkSdk(root: string, assets: readonly string[]): string {
  const starts = [...assets, process.cwd(), dirname(fileURLToPath(import.meta.url))];
  const sources = [...new Set(starts.flatMap(foldersAbove))]
    .map((above) => join(above, 'node_modules'))
    .filter((modules) => existsSync(join(modules, '@aws-sdk')));
  return sources.reverse().reduce((outer, modules) => {
    const inner = join(outer, 'sdk');
    mkdirSync(join(inner, 'node_modules'), { recursive: true });
    for (const scope of ['@aws-sdk', '@smithy']) {
      const linked = join(modules, scope);
      if (existsSync(linked)) symlinkSync(linked, join(inner, 'node_modules', scope), 'junction');
    }
    return inner;
  }, root);
}

function foldersAbove(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersAbove(parent)];
}
