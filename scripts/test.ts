import { spawnSync } from 'node:child_process';
import { installChromium } from './chromium.ts';

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
