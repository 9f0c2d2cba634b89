import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block of a page. */
export interface CodeBlock {
  readonly language: string;
  /** The file that the block belongs in, if the fence names one. */
  readonly file: string | undefined;
  readonly code: string;
}

/** Every page of the repository, by its path from the root. */
export function pages(): string[] {
  const names = (folder: string) =>
    readdirSync(new URL(`../../${folder}`, import.meta.url))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}${name}`);
  return ['', 'docs/', 'docs/decisions/'].flatMap(names);
}

export function readPage(page: string): string {
  return readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(([, language, file, code]) => ({
    language: language ?? '',
    file,
    code: code ?? '',
  }));
}

/** The rows of the table whose header begins with these cells. Each row is a list of cells without backticks. */
export function tableRows(markdown: string, ...headers: string[]): string[][] {
  const lines = markdown.split('\n');
  const header = lines.findIndex((line) => headers.every((name, column) => cells(line)[column] === name));
  if (header < 0) throw new Error(`There is no table with the header ${headers.join(' | ')}.`);
  const rest = lines.slice(header + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end < 0 ? undefined : end).map(cells);
}

function cells(line: string): string[] {
  return line.startsWith('|')
    ? line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'))
    : [];
}
