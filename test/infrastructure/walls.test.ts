import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const repository = fileURLToPath(new URL('../../', import.meta.url));

// The rules under test need no types. Without types, ESLint takes files that do not exist.
const eslint = new ESLint({
  cwd: repository,
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
  ruleFilter: ({ ruleId }) => ruleId === 'switchboard/walls' || ruleId.startsWith('no-restricted-'),
});

async function lint(filePath: string, code: string): Promise<readonly string[]> {
  const results = await eslint.lintText(code, { filePath: `${repository}${filePath}` });
  return results.flatMap(({ messages }) => messages.map(({ message }) => message));
}

describe('the walls between the folders', () => {
  it.each([
    ['protocol/frames.ts', '../core/publish.ts', 'core/publish.ts'],
    ['protocol/frames.ts', 'node:crypto', 'node:crypto'],
    ['protocol/frames.ts', 'zod', 'zod'],
    ['core/publish.ts', '../lambdas/log.ts', 'lambdas/log.ts'],
    ['core/dispatch/refresh.ts', '../../lib/settings/settings.ts', 'lib/settings/settings.ts'],
    ['core/publish.ts', 'aws-cdk-lib', 'aws-cdk-lib'],
    ['core/changes/read-change.ts', '../../lambdas/change.ts', 'lambdas/change.ts'],
    ['lambdas/publish.ts', '../lib/settings/settings.ts', 'lib/settings/settings.ts'],
    ['client/client.ts', '../core/publish.ts', 'core/publish.ts'],
    ['client/client.ts', 'ws', 'ws'],
    ['console/page.tsx', '../local/cloud.ts', 'local/cloud.ts'],
    ['lib/functions/functions.ts', '../../lambdas/publish.ts', 'lambdas/publish.ts'],
    ['lib/functions/functions.ts', '../../core/publish.ts', 'core/publish.ts'],
    ['local/cloud.ts', '../protocol/index.ts', 'protocol/index.ts'],
    ['local/cloud.ts', '../lib/index.ts', 'lib/index.ts'],
    ['local/cli/run-cloud.ts', '../../cli/token.ts', 'cli/token.ts'],
    ['publisher/publisher.ts', '../core/publish/publish.ts', 'core/publish/publish.ts'],
    ['cli/local.ts', '../local/index.ts', 'local/index.ts'],
    ['console/page.tsx', 'preact', 'preact'],
    ['examples/demo/listeners.ts', '../../core/listener.ts', 'core/listener.ts'],
    ['examples/demo/listeners.ts', '../../protocol/index.ts', 'protocol/index.ts'],
    ['examples/demo/listeners.ts', 'jose', 'jose'],
    ['core/publish.ts', '../examples/listeners.ts', 'examples/listeners.ts'],
    ['core/publish.ts', 'switchboard/listener', 'switchboard/listener'],
  ])('%s may not import %s', async (file, specifier, what) => {
    const folder = file.split('/')[0] ?? '';
    const message = `${folder}/ may not import ${what}; it may import itself`;
    for (const code of [
      `import { x } from '${specifier}';`,
      `import type { x } from '${specifier}';`,
      `export { x } from '${specifier}';`,
      `export * from '${specifier}';`,
      `await import('${specifier}');`,
    ]) {
      expect(await lint(file, code), code).toEqual([expect.stringContaining(message)]);
    }
  });

  it.each([
    ['protocol/frames.ts', './errors.ts'],
    ['protocol/frames.ts', 'zod/mini'],
    ['core/dispatch/refresh.ts', '../log/log.ts'],
    ['core/publish.ts', '../protocol/index.ts'],
    ['core/publish.ts', '@aws-sdk/lib-dynamodb'],
    ['lambdas/publish.ts', '../core/publish.ts'],
    ['lambdas/change.ts', '../publisher/publisher.ts'],
    ['client/client.ts', '../protocol/index.ts'],
    ['console/page.tsx', '../client/index.ts'],
    ['lib/functions/functions.ts', 'aws-cdk-lib/aws-lambda'],
    ['local/cloud.ts', 'ws'],
    ['examples/demo/listeners.ts', 'switchboard/listener'],
    ['examples/listeners.ts', './demo/listeners.ts'],
    ['lib/functions/functions.ts', '../../core/timing.ts'],
    ['local/cli/run-cloud.ts', '../../cli/command-line.ts'],
    ['local/cli/shared-secret.ts', '../../cli/local-secret.ts'],
    ['cli/publish.ts', '../publisher/signed-request.ts'],
    ['scripts/start.ts', '../local/index.ts'],
    ['test/client/client.test.ts', '../../local/index.ts'],
  ])('%s may import %s', async (file, specifier) => {
    expect(await lint(file, `import { x } from '${specifier}';`)).toEqual([]);
  });

  it('let core import the type of a message, but not the code that publishes it', async () => {
    const publisher = '../publisher/publisher.ts';
    expect(await lint('core/change.ts', `import type { OutgoingMessage } from '${publisher}';`)).toEqual([]);
    expect(await lint('core/change.ts', `import { createPublisher } from '${publisher}';`)).toEqual([
      expect.stringContaining('core/ may not import publisher/publisher.ts'),
    ]);
  });

  it('let the stack import the type of the environment, but not the code that reads it', async () => {
    const environment = '../../lambdas/environment.ts';
    expect(
      await lint('lib/functions/functions.ts', `import type { FunctionName } from '${environment}';`),
    ).toEqual([]);
    expect(
      await lint('lib/functions/functions.ts', `import { readEnvironment } from '${environment}';`),
    ).toEqual([
      expect.stringContaining(
        'lib/ may not import lambdas/environment.ts; it may import itself, protocol/, core/timing.ts, core/auth/algorithms.ts, core/targets/rules.ts, the types of',
      ),
    ]);
  });
});

describe('process.env', () => {
  it.each([
    'protocol/frames.ts',
    'core/publish.ts',
    'lambdas/log.ts',
    'client/client.ts',
    'lib/settings/settings.ts',
    'publisher/publisher.ts',
    'cli/publish.ts',
  ])('is not read in %s', async (file) => {
    expect(await lint(file, 'const level = process.env.LOG_LEVEL;')).toEqual([
      expect.stringContaining('process.env is read in lambdas/environment.ts and at the edges'),
    ]);
  });

  it('is not read through an import of the module either', async () => {
    expect(await lint('lambdas/log.ts', "import { env } from 'node:process';")).toEqual([
      expect.stringContaining('process.env is read in lambdas/environment.ts'),
    ]);
  });

  it.each(['lambdas/environment.ts', 'bin/app.ts', 'scripts/start.ts', 'local/cloud.ts', 'bench/connect.ts'])(
    'may be read in %s',
    async (file) => {
      expect(await lint(file, 'const level = process.env.LOG_LEVEL;')).toEqual([]);
    },
  );
});

describe('tests', () => {
  it.each(['it.skip', 'it.only', 'describe.skip', 'describe.only', 'it.todo', 'test.skip'])(
    'do not use %s',
    async (call) => {
      expect(await lint('test/some.test.ts', `${call}('a name', () => {});`)).toEqual([
        'Every test runs: none is skipped, singled out or left to do.',
      ]);
    },
  );
});
