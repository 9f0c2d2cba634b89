import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks, readPage } from '../docs/documents.ts';
import { pack, type PackedPackage, type Project } from './packed-package.ts';

let packed: PackedPackage;
let project: Project;
beforeAll(async () => {
  packed = await pack('client');
  project = await packed.install();
}, 180_000);
afterAll(() => packed.remove());

describe('@switchboard/client', () => {
  it('has no faults for publint and Are The Types Wrong', { timeout: 60_000 }, async () => {
    expect(await packed.faults()).toEqual([]);
  });

  it('installs one package below 100 KB without an install script', async () => {
    const modules = path.join(project.folder, 'node_modules');
    const installed = (await readdir(modules)).filter((name) => !name.startsWith('.'));
    expect([installed, await readdir(path.join(modules, '@switchboard'))]).toEqual([
      ['@switchboard'],
      ['client'],
    ]);
    expect(packed.unpackedBytes).toBeLessThan(100_000);
    const manifest = await readFile(path.join(modules, '@switchboard/client/package.json'), 'utf8');
    expect(manifest).not.toMatch(/"(pre|post)?install"/);
  });

  it('holds one module, its types, a README and the licence', () => {
    const others = packed.files.filter((file) => !/^dist\/(client|protocol)\/[\w/-]+\.d\.ts$/.test(file));
    expect(others.toSorted()).toEqual(['LICENSE', 'README.md', 'dist/client/index.js', 'package.json']);
  });

  it('has types that import nothing from outside the package', async () => {
    const root = path.join(project.folder, 'node_modules/@switchboard/client');
    for (const file of packed.files.filter((name) => name.endsWith('.d.ts'))) {
      const text = await readFile(path.join(root, file), 'utf8');
      const specifiers = [...text.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)].map(([, name]) => name);
      expect(
        specifiers.filter((name) => !name?.startsWith('.')),
        file,
      ).toEqual([]);
      expect(text, file).not.toMatch(/\bzod\b/i);
    }
  });

  it('type-checks the examples of its README, libraries included', { timeout: 120_000 }, async () => {
    const examples = codeBlocks(readPage('client/README.md')).filter(({ language }) => language === 'ts');
    const files = Object.fromEntries(
      // The class of the package `ws` represents every fitting `WebSocket` class.
      examples.map(({ code }, index) => [
        `example-${String(index)}.ts`,
        code.replace(/^import WebSocket from 'ws';$/m, ''),
      ]),
    );
    expect(examples).toHaveLength(2);
    expect(await project.compile(files, { skipLibCheck: false, noEmit: true })).toBe('');
  });

  it('runs in Node', { timeout: 60_000 }, async () => {
    const code = "import { connect } from '@switchboard/client'; console.log(typeof connect);";
    expect(await project.node('--input-type=module', '--eval', code)).toBe('function\n');
  });
});
