import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Runs the tests nearest to the mutated file first. They kill most mutants, and the other tests need not run. */
class NearestFirst extends BaseSequencer {
  override sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const { root, related = [] } = this.ctx.config;
    const mutated = related.map((file) => relative(root, file));
    const nearness = ({ moduleId }: TestSpecification) => {
      const test = relative(root, moduleId).replace(/^test\//, '');
      return Math.max(0, ...mutated.map((file) => sharedPrefix(file, test)));
    };
    return Promise.resolve([...specifications].sort((one, other) => nearness(other) - nearness(one)));
  }
}

/** The length of the common beginning of two paths, such as `core/auth/tokens` for a file and its test. */
function sharedPrefix(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

/** Includes only the tests that run in one process. End-to-end tests take too long for each mutant. */
export default defineConfig({
  // The packages that examples import are the sources of this repository.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['test/{core,lambdas,protocol}/**/*.test.ts'],
    // It gives the tests the tables of the synthesised template.
    globalSetup: ['test/global-setup.ts'],
    sequence: { sequencer: NearestFirst },
    // A slow machine must not look like a killed mutant.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
