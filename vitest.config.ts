import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The packages that examples import are the sources of this repository.
  resolve: { tsconfigPaths: true },
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // Processes, not threads: tests start servers, worker threads and embedded engines of their own.
    pool: 'forks',
    // A file with a stack waits as much as it computes, so three of them share two cores well.
    maxWorkers: availableParallelism() + 1,
    // No test waits for these. They end one that hangs, and leave time on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    // A handle left open is a bug in a `close()`: the run says so soon, and does not hang.
    teardownTimeout: 5_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    coverage: {
      provider: 'v8',
      include: [
        'bin/**',
        'lib/**',
        'lambdas/**',
        'core/**',
        'protocol/**',
        'publisher/**',
        'cli/**',
        'client/**',
        'local/**',
        'console/**',
        'examples/**',
      ],
      reporter: ['text-summary', 'html'],
    },
  },
});
