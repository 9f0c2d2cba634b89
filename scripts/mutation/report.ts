/** One changed place in the code, and the result of its tests. Lines and columns count from 1. */
export interface Mutant {
  readonly fileName: string;
  readonly location: { readonly start: Position; readonly end: Position };
  readonly replacement: string;
  /** Killed, Timeout, Survived, NoCoverage, RuntimeError, …: https://stryker-mutator.io/docs/mutation-testing-elements/mutant-states-and-metrics */
  readonly status: string;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

const longestExcerpt = 80;

/** Lists the mutants that no test caught, then the score of each file and of all. */
export function mutationReport(mutants: readonly Mutant[], readSource: (file: string) => string): string {
  const files = [...new Set(mutants.map(({ fileName }) => fileName))].sort();
  const missed = files.flatMap((file) => {
    const source = readSource(file).split('\n');
    return mutants
      .filter(({ fileName, status }) => fileName === file && isMissed(status))
      .sort((one, other) => compare(one.location.start, other.location.start))
      .map((mutant) => describe(mutant, source));
  });
  const width = Math.max(...files.map((file) => file.length), 'File'.length);
  const row = (file: string, cells: readonly (string | number)[]) =>
    file.padEnd(width) + cells.map((cell) => String(cell).padStart(11)).join('');
  return [
    ...missed,
    '',
    row('File', ['killed', 'timed out', 'survived', 'uncovered', 'errors', 'score']),
    ...files.map((file) => row(file, scores(mutants.filter(({ fileName }) => fileName === file)))),
    row('All', scores(mutants)),
  ].join('\n');
}

function isMissed(status: string): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

function describe({ fileName, location, replacement, status }: Mutant, source: readonly string[]): string {
  const { start, end } = location;
  const lines = source.slice(start.line - 1, end.line);
  const original = lines
    .map((line, index) => (index === lines.length - 1 ? line.slice(0, end.column - 1) : line))
    .map((line, index) => (index === 0 ? line.slice(start.column - 1) : line))
    .join(' ');
  const why = status === 'NoCoverage' ? '  (no test runs this)' : '';
  return `${fileName}:${start.line}:${start.column}  ${excerpt(original)} → ${excerpt(replacement)}${why}`;
}

function excerpt(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ').trim();
  return line.length > longestExcerpt ? `${line.slice(0, longestExcerpt)}…` : line;
}

/** The cells of a row. A time-out counts as killed. An error does not count, because it says nothing about the tests. */
function scores(mutants: readonly Mutant[]): readonly (string | number)[] {
  const count = (wanted: string) => mutants.filter(({ status }) => status === wanted).length;
  const [killed, timedOut] = [count('Killed'), count('Timeout')];
  const [survived, uncovered] = [count('Survived'), count('NoCoverage')];
  const valid = killed + timedOut + survived + uncovered;
  const score = valid === 0 ? '–' : `${((100 * (killed + timedOut)) / valid).toFixed(1)} %`;
  return [killed, timedOut, survived, uncovered, mutants.length - valid, score];
}

function compare(one: Position, other: Position): number {
  return one.line - other.line || one.column - other.column;
}
