import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { codeBlocks, pages, readPage, root } from './documents.ts';

const run = promisify(execFile);
const packageJson = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = packageJson.parse(JSON.parse(readPage('package.json')));

describe.each(pages())('%s', (page) => {
  const text = readPage(page);

  it('links to files and headings that exist', () => {
    for (const link of relativeLinks(text)) {
      const [file = '', heading] = link.split('#');
      const target = file === '' ? page : path.join(path.dirname(page), file);
      expect(existsSync(path.join(root, target)), link).toBe(true);
      if (heading !== undefined) expect(headings(readPage(target)), link).toContain(heading);
    }
  });

  it('names commands that exist', () => {
    for (const [, script = ''] of text.matchAll(/npm run (?:--silent )?([a-z]+)/g)) {
      expect(Object.keys(scripts)).toContain(script);
    }
  });
});

describe('the flags that pages give to commands', () => {
  const help = new Map<string, string>();
  beforeAll(async () => {
    for (const [name, file, ...command] of [
      ['start', 'scripts/start.ts'],
      ['token', 'cli/switchboard.ts', 'token'],
      ['publish', 'cli/switchboard.ts', 'publish'],
      ['bench', 'scripts/bench.ts'],
    ] as const) {
      const args = ['scripts/run.mjs', file, ...command, '--help'];
      help.set(name, (await run(process.execPath, args, { cwd: root })).stdout);
    }
  });

  it.each(pages().flatMap((page) => commandsIn(readPage(page)).map((command) => ({ page, command }))))(
    'in "$command" of $page are explained by --help',
    ({ command }) => {
      const name = /^npm (?:run )?(\w+)/.exec(command)?.[1] ?? '';
      for (const [flag] of command.matchAll(/--[a-z][a-z-]+/g)) expect(help.get(name)).toContain(flag);
    },
  );
});

it('docs/protocol.md numbers its clauses without a gap or a repeat', () => {
  const numbers = [...readPage('docs/protocol.md').matchAll(/^\*\*P(\d+)\.\*\*/gm)].map(([, number]) =>
    Number(number),
  );
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

/** Calls of the commands that explain their flags, in shell blocks and in text. */
function commandsIn(text: string): string[] {
  const shell = codeBlocks(text)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'));
  const inline = [...text.matchAll(/`(npm [^`]*)`/g)].flatMap(([, command]) => command ?? []);
  return [...shell, ...inline]
    .map((line) => line.replace(/ #.*$/, '').trim())
    .filter((line) => /^npm (start|run (token|publish|bench)) -- .*--/.test(line));
}

function relativeLinks(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) =>
    link && !/^[a-z]+:/.test(link) ? [link] : [],
  );
}

/** The anchors that GitHub makes for headings. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
