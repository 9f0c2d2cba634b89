import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionSettings } from './settings.ts';

export interface InstalledCode {
  readonly folder: string;
  remove(): void;
}

/**
 * Puts a function's code into a folder of its own, as Lambda unpacks it to /var/task. Where it is synthesised, it
 * would take the `"type": "module"` of the package around it and find that package's node_modules.
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
