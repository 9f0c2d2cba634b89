import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a mutant is tested. scripts/mutate.ts adds which files and how many at once. */
export default {
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutate.vitest.config.ts' },
  coverageAnalysis: 'perTest',
  // Outside the repository, where no linter, formatter or watcher meets the copy.
  tempDirName: join(tmpdir(), 'switchboard-mutants'),
  cleanTempDir: 'always',
  ignorePatterns: ['cdk.out', 'dist', 'coverage'],
  incremental: true,
  incrementalFile: join('node_modules', '.cache', 'mutation.json'),
  // A mutant that never ends costs half a minute. A shorter limit would count a slow machine as a caught mutant.
  timeoutMS: 30_000,
  timeoutFactor: 4,
  dryRunTimeoutMinutes: 30,
  logLevel: 'error',
  warnings: false,
};
