import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { codeBlocks, pages, readPage, root } from './documents.ts';

/** Each block of TypeScript, as the file that its fence names, or as one in the root. */
const blocks = new Map(
  pages().flatMap((page) =>
    codeBlocks(readPage(page))
      // What uses the client runs in browsers; test/client/docs.test.ts compiles it by their rules.
      .filter(({ language, code }) => language === 'ts' && !code.includes("'@switchboard/client'"))
      .map(({ file, code }, index): [string, string] => [
        path.join(root, file ?? `${page.replaceAll('/', '-')}-${index}.ts`),
        code,
      ]),
  ),
);

it(
  'every block of TypeScript in the pages compiles by the rules of this repository',
  { timeout: 60_000 },
  () => {
    expect(blocks.size).toBeGreaterThan(0);
    const config = ts.getParsedCommandLineOfConfigFile(
      path.join(root, 'tsconfig.json'),
      {},
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
          throw new Error(messageOf(diagnostic));
        },
      },
    );
    const host = ts.createCompilerHost(config?.options ?? {});
    const readFile = host.readFile.bind(host);
    const fileExists = host.fileExists.bind(host);
    host.readFile = (file) => blocks.get(file) ?? readFile(file);
    host.fileExists = (file) => blocks.has(file) || fileExists(file);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (file, ...rest) => {
      const code = blocks.get(file);
      return code === undefined
        ? getSourceFile(file, ...rest)
        : ts.createSourceFile(file, code, ts.ScriptTarget.ES2022);
    };
    const program = ts.createProgram([...blocks.keys()], config?.options ?? {}, host);
    const faults = [...blocks.keys()].flatMap((file) => {
      const source = program.getSourceFile(file);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    });
    expect(faults.map((fault) => `${fault.file?.fileName ?? ''}: ${messageOf(fault)}`)).toEqual([]);
  },
);

function messageOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, '\n');
}
