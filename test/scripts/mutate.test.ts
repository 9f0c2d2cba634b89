import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { type Mutant, mutationReport } from '../../scripts/mutation/report.ts';

it.each([
  ['a path that does not exist', ['core/nothing'], 'There is no core/nothing.\n'],
  [
    'a path outside its folders',
    ['bin/app.ts'],
    'bin/app.ts is not in core, lambdas, protocol, whose tests this command runs.\n',
  ],
  ['no path', [], 'Name what to mutate, such as core/sessions. See --help.\n'],
])('npm run mutate refuses %s with one line', { timeout: 60_000 }, (_, args, line) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/run.mjs', 'scripts/mutate.ts', ...args],
    { encoding: 'utf8' },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: line });
});

it('the report lists the mutants that no test caught, and the scores', () => {
  const source = "const a = 1;\nif (a < 2) {\n  stop('now');\n}\n";
  const mutant = (status: string, start: [number, number], end: [number, number], replacement: string) =>
    ({
      fileName: 'core/a.ts',
      location: {
        start: { line: start[0], column: start[1] },
        end: { line: end[0], column: end[1] },
      },
      replacement,
      status,
    }) satisfies Mutant;
  const report = mutationReport(
    [
      mutant('NoCoverage', [2, 12], [4, 2], '{}'),
      mutant('Survived', [2, 5], [2, 10], 'a <= 2'),
      mutant('Killed', [2, 5], [2, 10], 'true'),
      mutant('Timeout', [2, 5], [2, 10], 'false'),
      mutant('RuntimeError', [3, 8], [3, 13], '""'),
    ],
    () => source,
  );
  expect(report.split('\n')).toEqual([
    'core/a.ts:2:5  a < 2 → a <= 2',
    "core/a.ts:2:12  { stop('now'); } → {}  (no test runs this)",
    '',
    'File          killed  timed out   survived  uncovered     errors      score',
    'core/a.ts          1          1          1          1          1     50.0 %',
    'All                1          1          1          1          1     50.0 %',
  ]);
});
