import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { CommandError, readArguments, readWholeNumber, run, UsageError } from '../cli/command-line.ts';
import { mutationReport } from './mutation/report.ts';

const usage = `npm run mutate -- PATH … [--concurrency 1]

Changes the code at one place at a time, such as < to <=, and runs the tests that reach that place. Each change is a
mutant. The report lists each mutant that no test catches: that line may be wrong without a failing test. Takes files of
core, lambdas and protocol, and runs the tests of these folders.

  PATH              a file or folder, such as core/sessions or protocol/targets.ts
  --concurrency N   how many mutants are tested at once

A repeated run tests only what changed in the files and their tests. To test everything again, delete
node_modules/.cache/mutation.json.`;

const folders = ['core', 'lambdas', 'protocol'];

await run(async () => {
  const { values, positionals } = readArguments(usage, { concurrency: { type: 'string', default: '1' } });
  const concurrency = readWholeNumber('concurrency', values.concurrency, 1, 64);
  if (positionals.length === 0)
    throw new UsageError('Name what to mutate, such as core/sessions. See --help.');
  const mutate = positionals.map(readPattern);

  console.log('Running the tests once without a mutant …');
  const mutants = await testMutants(mutate, concurrency);
  if (mutants.length === 0) throw new UsageError(`Nothing can be mutated in ${positionals.join(', ')}.`);
  console.log(mutationReport(mutants, (file) => readFileSync(file, 'utf8')));
});

/** Returns a file unchanged, and a folder as the pattern of its TypeScript files. */
function readPattern(given: string): string {
  if (!existsSync(given)) throw new UsageError(`There is no ${given}.`);
  const relative = path.relative('.', given).split(path.sep).join('/');
  if (!folders.some((folder) => relative === folder || relative.startsWith(`${folder}/`))) {
    throw new UsageError(`${given} is not in ${folders.join(', ')}, whose tests this command runs.`);
  }
  return statSync(given).isDirectory() ? `${relative}/**/*.ts` : relative;
}

async function testMutants(mutate: string[], concurrency: number) {
  const reporters = [process.stdout.isTTY ? 'progress' : 'progress-append-only'];
  const configFile = 'scripts/mutation/stryker.config.js';
  // The import takes a second, so it comes after the check of the paths.
  const { Stryker } = await import('@stryker-mutator/core');
  try {
    const mutants = await new Stryker({ configFile, mutate, concurrency, reporters }).runMutationTest();
    return mutants.map((mutant) => ({ ...mutant, fileName: path.relative('.', mutant.fileName) }));
  } catch (cause) {
    throw new CommandError('The mutation run failed. The reason is above.', { cause });
  }
}
