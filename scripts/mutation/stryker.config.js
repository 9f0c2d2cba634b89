import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The settings of Stryker. scripts/mutate.ts adds the files and the concurrency. */
export default {
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  // The copy lies outside the repository, so that no linter, formatter or watcher reads it.
  tempDirName: join(tmpdir(), 'switchboard-mutants'),
  cleanTempDir: 'always',
  ignorePatterns: ['cdk.out', 'dist', 'coverage'],
  incremental: true,
  incrementalFile: join('node_modules', '.cache', 'mutation.json'),
  // A mutant that never ends costs half a minute. With a shorter limit, a slow machine would look like a killed mutant.
  timeoutMS: 30_000,
  timeoutFactor: 4,
  dryRunTimeoutMinutes: 30,
  logLevel: 'error',
  warnings: false,
};
