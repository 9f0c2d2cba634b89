import path from 'node:path';
import ts from 'typescript';
import { root } from './documents.ts';

/**
 * The compiler's errors about files that exist in memory only, by path. The rules are those of this repository. The DOM
 * is added, for code that runs in browsers.
 */
export function faultsOf(files: ReadonlyMap<string, string>): string[] {
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.fileExists = (file) => files.has(file) || fileExists(file);
  // The folders of these files need not exist.
  host.directoryExists = () => true;
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()]
    .flatMap((file) => {
      const source = program.getSourceFile(file);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    })
    .map((fault) => `${fault.file?.fileName ?? ''}: ${messageOf(fault)}`);
}

function compilerOptions(): ts.CompilerOptions {
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
  return {
    ...config?.options,
    lib: [...(config?.options.lib ?? []), 'lib.dom.d.ts'],
    paths: { ...config?.options.paths, '@switchboard/client': [path.join(root, 'client/index.ts')] },
  };
}

function messageOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, '\n');
}
