import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { watchSources } from '../../../local/watch/source-watcher.ts';

async function watchFolder() {
  const folder = mkdtempSync(join(tmpdir(), '.sources-'));
  for (const name of ['lib', 'node_modules', 'cdk.out', '.git']) mkdirSync(join(folder, name));
  const sources = watchSources(folder, [join(folder, 'assembly')]);
  onTestFinished(async () => {
    await sources.close();
    rmSync(folder, { recursive: true });
  });
  await sources.ready;
  return {
    save: (file: string) => {
      writeFileSync(join(folder, file), String(Math.random()));
    },
    /** Every file that is told until this one is. */
    until: async (last: string): Promise<ReadonlySet<string>> => {
      const told = new Set<string>();
      while (!told.has(last)) for (const file of await sources.next()) told.add(relative(folder, file));
      return told;
    },
  };
}

it('tells of changed files, in folders too', async () => {
  const { save, until } = await watchFolder();
  save('lib/a.ts');
  expect(await until('lib/a.ts')).toContain('lib/a.ts');
  save('b.ts');
  expect(await until('b.ts')).toContain('b.ts');
});

it('ignores modules, hidden files and the output of tools', async () => {
  const { save, until } = await watchFolder();
  for (const file of ['node_modules/a.js', 'cdk.out/b.json', '.git/c', '.env', 'assembly']) save(file);
  save('lib/source.ts');
  expect(await until('lib/source.ts')).toEqual(new Set(['lib/source.ts']));
});
