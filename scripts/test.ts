import { spawnSync } from 'node:child_process';
import { installChromium } from './chromium.ts';
import { canInstallPackages, findProgram, installPackage } from './debian-packages.ts';

// One example has a server in Python.
if (findProgram(['python3']) === undefined && canInstallPackages()) {
  console.log('Installing Python for the tests of the examples (once) …');
  installPackage('python3');
}

// The arguments after `npm test --` go to vitest, such as a file or --coverage.
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, CHROME_PATH: installChromium() },
  },
);
process.exit(status ?? 1);
