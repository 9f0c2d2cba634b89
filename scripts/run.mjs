// Runs a TypeScript file of this repository. First installs the modules if they are missing or out of date.
// This file is plain JavaScript, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Switchboard needs Node 20 or newer; this is ${process.version}.`);

// npm writes this file at the end of an install. If the lock file is newer, an install is due.
const installedAt = statSync('node_modules/.package-lock.json', { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (installedAt < statSync('package-lock.json').mtimeMs) {
  console.error('Installing modules (once; about half a minute) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail('npm ci failed; its output is above.');
}

const [script, ...args] = process.argv.slice(2);
process.argv = [process.argv[0], path.resolve(script), ...args];
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { register } = await import('tsx/esm/api');
register();
await import(pathToFileURL(process.argv[1]).href);

function fail(message) {
  console.error(message);
  process.exit(1);
}
