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
export function installCode({ name, code }: FunctionSettings): InstalledCode {
  const folder = mkdtempSync(join(tmpdir(), `${name.slice(0, 40)}-`));
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
