import { readFileSync } from 'node:fs';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BuildFailure,
  type BuildOptions,
  buildSync,
  formatMessagesSync,
  type Location,
  type Message,
} from 'esbuild';
import type { FunctionName } from '../../lambdas/environment.ts';
import { SettingsError } from '../settings/settings.ts';
import { withoutPackages } from './source-map.ts';

/** The files of a function's code, by name. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

/** `.ts` in this repository, `.js` in the package that is built from it. */
const extension = extname(import.meta.url);

const sourceFile = (path: string) => fileURLToPath(new URL(`../../${path}${extension}`, import.meta.url));

/** The functions that run modules of the stack's owner, and what those modules are to the owner. */
const ownersModules = {
  message: { setting: 'The setting listeners', defaultExport: 'a list of listeners' },
  change: { setting: 'The map of a PublishOnChange', defaultExport: 'a function, as defineChange makes it' },
} as const satisfies Partial<Record<FunctionName, object>>;

type OwnersFunction = keyof typeof ownersModules;

/** The name of every function whose entry is `lambdas/<name>.ts`, which exports `handler`. */
const functionNames = Object.keys({
  authorize: true,
  tickets: true,
  connect: true,
  disconnect: true,
  publish: true,
  api: true,
  'fan-out': true,
  schedule: true,
  'close-sessions': true,
  lifecycle: true,
  presence: true,
} satisfies Record<Exclude<FunctionName, OwnersFunction>, true>);

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
  alias: { '@aws-sdk/credential-provider-node': sourceFile('lib/functions/function-credentials') },
} as const satisfies BuildOptions;

const entryName = 'the entry of a function';

/** The code of a function. `modules` are those of the owner, which only `message` and `change` run. */
export function bundleOf(name: FunctionName, modules: readonly string[]): Bundle {
  if (isOwners(name)) return ownersBundle(name, modules);
  const bundle = otherBundles().get(name);
  if (bundle === undefined) throw new Error(`There is no bundle of the function ${name}.`);
  return bundle;
}

function isOwners(name: FunctionName): name is OwnersFunction {
  return Object.hasOwn(ownersModules, name);
}

/** The code of every function, without listeners of an owner. The mapping of `change` is that of the outbox. */
export function bundleFunctions(): ReadonlyMap<string, Bundle> {
  return new Map([
    ...otherBundles(),
    ['message', ownersBundle('message', [])],
    ['change', ownersBundle('change', [outboxMapping])],
  ]);
}

/** The mapping of `PublishOnChange.outbox`. */
export const outboxMapping = sourceFile('core/changes/outbox-mapping');

let others: ReadonlyMap<string, Bundle> | undefined;

/** The package holds them ready, so that a synthesis bundles only what depends on its owner's listeners. */
function otherBundles(): ReadonlyMap<string, Bundle> {
  others ??= extension === '.js' ? readBundles() : bundleOthers();
  return others;
}

const builtFolder = fileURLToPath(new URL('../../functions/', import.meta.url));

function readBundles(): ReadonlyMap<string, Bundle> {
  return new Map(
    functionNames.map((name) => {
      const code = readFileSync(join(builtFolder, `${name}.js`));
      return [name, new Map([['index.js', code]])];
    }),
  );
}

const ownersBundles = new Map<string, Bundle>();

function ownersBundle(name: OwnersFunction, modules: readonly string[]): Bundle {
  const key = JSON.stringify([name, ...modules]);
  const bundle = ownersBundles.get(key) ?? bundleOwners(name, modules);
  ownersBundles.set(key, bundle);
  return bundle;
}

/** One esbuild run for all. CDK's NodejsFunction starts a process per function, and `npm start` waits for it. */
export function bundleOthers(): ReadonlyMap<string, Bundle> {
  const entryPoints = functionNames.map((name) => sourceFile(`lambdas/${name}`));
  const { outputFiles } = buildSync({ ...options, entryPoints });
  return new Map(
    outputFiles.map(({ path, contents }) => [basename(path, '.js'), new Map([['index.js', contents]])]),
  );
}

function bundleOwners(name: OwnersFunction, modules: readonly string[]): Bundle {
  const { outputFiles, warnings } = buildOwners(name, modules);
  for (const text of formatMessagesSync(warnings, { kind: 'warning' })) console.warn(text.trim());
  return new Map(
    outputFiles.map(({ path, contents, text }) => {
      const isMap = path.endsWith('.map');
      return [basename(path), isMap ? Buffer.from(withoutPackages(text)) : contents];
    }),
  );
}

/** The entry of the function is written here, because its imports are the stack owner's modules. */
function buildOwners(name: OwnersFunction, modules: readonly string[]) {
  const entry = [
    `import { createHandler } from ${JSON.stringify(sourceFile(`lambdas/${name}`))};`,
    ...modules.map((file, index) => `import table${index} from ${JSON.stringify(resolve(file))};`),
    `export const handler = createHandler({`,
    ...modules.map((file, index) => `${JSON.stringify(nameOf(file))}: table${index},`),
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
        'switchboard/change': sourceFile('core/change'),
        'switchboard/listener': sourceFile('core/listener'),
        'switchboard/protocol': sourceFile('protocol/index'),
      },
      // Stack traces then name the owner's files and lines. Without the sources in it, the map stays small.
      ...(modules.length > 0 && { sourcemap: 'linked', sourcesContent: false }),
      logLevel: 'silent',
    });
  } catch (cause) {
    throw isBuildFailure(cause) ? bundlingError(cause, name, modules) : cause;
  }
}

/** A file as the owner knows it, and as the source map names it. */
function nameOf(file: string): string {
  return relative('', file).split(sep).join('/');
}

function isBuildFailure(cause: unknown): cause is BuildFailure {
  return cause instanceof Error && 'errors' in cause && 'warnings' in cause;
}

/** The lines of esbuild: file, line and column, the source, a caret. */
function bundlingError(
  { errors }: BuildFailure,
  name: OwnersFunction,
  modules: readonly string[],
): SettingsError {
  const { setting, defaultExport } = ownersModules[name];
  // Only an import of the entry can be at fault there: its module has no default export.
  const missing = modules.filter((_file, index) => errors.some(({ location }) => isImport(location, index)));
  const lines =
    missing.length > 0
      ? [`The default export must be ${defaultExport}: ${missing.map(nameOf).join(', ')}`]
      : formatMessagesSync(errors.map(withoutAdvice), { kind: 'error' });
  return new SettingsError(`${setting} names code that does not build.\n\n${lines.join('').trim()}`);
}

/** Whether a place is the import of a module, by the module's index. The entry has one import before them. */
function isImport(location: Location | null, index: number): boolean {
  return location?.file === entryName && location.line === index + 2;
}

/** Notes without a place advise on options of esbuild, which the owner cannot set. */
function withoutAdvice(message: Message): Message {
  return { ...message, notes: message.notes.filter(({ location }) => location !== null) };
}
