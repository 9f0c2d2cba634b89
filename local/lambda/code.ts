import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const folder = mkdtempSync(join(tmpdir(), `${name.slice(0, 40)}-`));
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
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
