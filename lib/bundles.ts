import { basename, extname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, type BuildOptions, buildSync, formatMessagesSync, type Message } from 'esbuild';
import type { FunctionName } from '../lambdas/environment.ts';
import { SettingsError } from './settings.ts';
import { withoutPackages } from './source-map.ts';

/** The files of a function's code, by name. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

/** `.ts` in this repository, `.js` in the package that is built from it. */
const extension = extname(import.meta.url);

const sourceFile = (path: string) => fileURLToPath(new URL(`../${path}${extension}`, import.meta.url));

/** The name of every function whose entry is `lambdas/<name>.ts`, which exports `handler`. */
const functionNames = Object.keys({
  authorize: true,
  connect: true,
  disconnect: true,
  publish: true,
  api: true,
  'fan-out': true,
} satisfies Record<Exclude<FunctionName, 'message'>, true>);

/**
 * - CommonJS loads faster than ESM at a cold start.
 * - `module` comes first, because unused code cannot be left out of the CommonJS builds of the AWS SDK and zod.
 * - Nothing is external, so the SDK that runs is the SDK that was tested.
 */
const options = {
  outdir: '.',
  write: false,
  bundle: true,
  minify: true,
  legalComments: 'none',
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
  alias: { '@aws-sdk/credential-provider-node': sourceFile('lib/function-credentials') },
} as const satisfies BuildOptions;

const entryName = 'the entry of message';

let ownBundles: ReadonlyMap<string, Bundle> | undefined;
const messageBundles = new Map<string, Bundle>();

/** The code of a function. `listeners` are the modules with the owner's listeners, which only `message` runs. */
export function bundleOf(name: FunctionName, listeners: readonly string[] = []): Bundle {
  if (name === 'message') return bundleMessage(listeners);
  ownBundles ??= bundleOwn();
  const bundle = ownBundles.get(name);
  if (bundle === undefined) throw new Error(`There is no bundle of the function ${name}.`);
  return bundle;
}

/** One esbuild run for all. CDK's NodejsFunction starts a process per function, and `npm start` waits for it. */
function bundleOwn(): ReadonlyMap<string, Bundle> {
  const entryPoints = functionNames.map((name) => sourceFile(`lambdas/${name}`));
  const { outputFiles } = buildSync({ ...options, entryPoints });
  return new Map(
    outputFiles.map(({ path, contents }) => [basename(path, '.js'), new Map([['index.js', contents]])]),
  );
}

function bundleMessage(listeners: readonly string[]): Bundle {
  const key = JSON.stringify(listeners);
  const bundle = messageBundles.get(key) ?? bundleWithListeners(listeners);
  messageBundles.set(key, bundle);
  return bundle;
}

function bundleWithListeners(listeners: readonly string[]): Bundle {
  const { outputFiles, warnings } = buildMessage(listeners);
  for (const text of formatMessagesSync(warnings, { kind: 'warning' })) console.warn(text.trim());
  return new Map(
    outputFiles.map(({ path, contents, text }) => {
      const isMap = path.endsWith('.map');
      return [basename(path), isMap ? Buffer.from(withoutPackages(text)) : contents];
    }),
  );
}

/** The entry of the function is written here, because its imports are the stack owner's modules. */
function buildMessage(listeners: readonly string[]) {
  const entry = [
    `import { createHandler } from ${JSON.stringify(sourceFile('lambdas/message'))};`,
    ...listeners.map((file, index) => `import table${index} from ${JSON.stringify(resolve(file))};`),
    `export const handler = createHandler({`,
    ...listeners.map((file, index) => `${JSON.stringify(nameOf(file))}: table${index},`),
    `});`,
  ].join('\n');
  try {
    return buildSync({
      ...options,
      stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: entryName },
      entryNames: 'index',
      // The owner's code and ours must share one class Refusal, also where node_modules holds two copies of us.
      alias: {
        ...options.alias,
        'switchboard/listener': sourceFile('core/listener'),
        'switchboard/protocol': sourceFile('protocol/index'),
      },
      // Stack traces then name the owner's files and lines. Without the sources in it, the map stays small.
      ...(listeners.length > 0 && { sourcemap: 'linked', sourcesContent: false }),
      logLevel: 'silent',
    });
  } catch (cause) {
    throw isBuildFailure(cause) ? bundlingError(cause, listeners) : cause;
  }
}

/** A file as the owner knows it, and as the source map names it. */
function nameOf(file: string): string {
  return relative('', file).split(sep).join('/');
}

function isBuildFailure(cause: unknown): cause is BuildFailure {
  return cause instanceof Error && 'errors' in cause && 'warnings' in cause;
}

/** The lines of esbuild: file, line and column, the source, a caret. A trace through CDK would bury them. */
function bundlingError({ errors }: BuildFailure, listeners: readonly string[]): SettingsError {
  // The entry itself is at fault only if a module that it imports has no default export.
  const isOurs = errors.some(({ location }) => location?.file === entryName);
  const lines = isOurs
    ? [`The default export must be a list of listeners, in each of ${listeners.map(nameOf).join(', ')}.`]
    : formatMessagesSync(errors.map(withoutAdvice), { kind: 'error' });
  const error = new SettingsError(
    `The setting listeners names modules that do not build.\n\n${lines.join('').trim()}`,
  );
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/** Notes without a place advise on options of esbuild, which the owner cannot set. */
function withoutAdvice(message: Message): Message {
  return { ...message, notes: message.notes.filter(({ location }) => location !== null) };
}
