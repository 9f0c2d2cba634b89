import { mkdirSync, statSync } from 'node:fs';

/** Others may open a folder that should be private. The message is one line for the user. */
export class OpenFolderError extends Error {
  override readonly name = 'OpenFolderError';
  constructor(folder: string) {
    super(
      `Other users of this machine can open ${folder}. Close it (chmod 700 ${folder}) or use another folder.`,
    );
  }
}

/**
 * Makes a folder that only its owner can open. An existing one must be so already: a mistyped name, such as /tmp, should
 * not lose the rights that others need.
 */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Windows keeps rights elsewhere, and shows the same bits for every folder.
  if (process.platform === 'win32') return;
  if ((statSync(folder).mode & 0o077) !== 0) throw new OpenFolderError(folder);
}
