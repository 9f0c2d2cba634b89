import path from 'node:path';
import { expect, it } from 'vitest';
import { faultsOf } from './compile.ts';
import { codeBlocks, pages, readPage, root } from './documents.ts';

/** Each block of TypeScript, by its path. */
const blocks = new Map(
  pages().flatMap((page) =>
    codeBlocks(readPage(page))
      .filter(({ language }) => language === 'ts')
      .map(({ file, code }, index): [string, string] => [
        path.join(
          root,
          file === undefined ? `${page.replaceAll('/', '-')}-${index}.ts` : placeOf(page, file),
        ),
        code,
      ]),
  ),
);

it('every block of TypeScript in the pages compiles', { timeout: 600_000 }, () => {
  expect(blocks.size).toBeGreaterThan(0);
  expect(faultsOf(blocks)).toEqual([]);
});

it('the compiler sees a wrong type in a block', { timeout: 600_000 }, () => {
  const file = path.join(root, 'wrong.ts');
  const code = "import { connect } from '@switchboard/client';\nconnect({ url: 1, token: '' });\n";
  expect(faultsOf(new Map([[file, code]]))).toEqual([expect.stringMatching(/^.*wrong\.ts: .*number/)]);
});

/** A path is that of a file in the repository. A name is that of a file in an app, and two pages may have the same. */
function placeOf(page: string, file: string): string {
  return file.includes('/') ? file : path.join(page.replace(/\.md$/, ''), file);
}
