import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { readOptions } from '../../client/options.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = `${root}docs/client.md`;

describe('docs/client.md', () => {
  let text: string;
  beforeAll(async () => {
    text = await readFile(page, 'utf8');
  });

  it('has snippets that compile, each as a module of its own, and so has README.md', async () => {
    const readme = await readFile(`${root}README.md`, 'utf8');
    const snippets = [...(readme + text).matchAll(/```ts\n(.*?)```/gs)]
      .map(([, code = '']) => code)
      .filter((code) => code.includes("'@switchboard/client'"));
    expect(snippets.length).toBeGreaterThan(5);
    expect(faultsOf(snippets)).toEqual([]);
  });

  it('lists every option, with its default', () => {
    const rows = text
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim().replace(/[`,]/g, '')));
    const listed = new Map(rows.map(([, name = '', value = '']) => [name, value]));
    const isIndexed = (name: string) => !['url', 'token', 'WebSocket', 'clock', 'page'].includes(name);
    const defaults = Object.entries(readOptions({ url: 'wss://x', token: '' }));
    for (const [name, value] of defaults.filter(([each]) => isIndexed(each))) {
      expect(listed.get(name), name).toBe(JSON.stringify(value));
    }
  });
});

/** What the compiler says of the snippets, which are files beside the page that only it sees. */
function faultsOf(snippets: readonly string[]): string[] {
  const files = new Map(snippets.map((code, index) => [`${root}docs/snippet-${index + 1}.ts`, code]));
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: ['node'],
    paths: { '@switchboard/client': [`${root}client/index.ts`] },
  };
  const host = ts.createCompilerHost(options);
  const fileExists = host.fileExists.bind(host);
  const readText = host.readFile.bind(host);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readText(path);
  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
