import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import type { FunctionName } from '../lambdas/environment.ts';

/** `.ts` in this repository, `.js` in the package that is built from it. */
const extension = extname(import.meta.url);

const entriesFolder = fileURLToPath(new URL('../lambdas/', import.meta.url));
const credentials = fileURLToPath(new URL(`./function-credentials${extension}`, import.meta.url));

/** The name of every function. Its entry is `lambdas/<name>.ts`, which exports `handler`. */
const functionNames = Object.keys({
  authorize: true,
  connect: true,
  disconnect: true,
  message: true,
  publish: true,
  api: true,
  'fan-out': true,
  lifecycle: true,
} satisfies Record<FunctionName, true>);

let bundled: ReadonlyMap<string, Uint8Array> | undefined;

/**
 * Bundles all functions in one esbuild run. CDK's NodejsFunction starts one process per function. That takes several
 * times as long, and `npm start` waits for it.
 *
 * - CommonJS loads faster than ESM at a cold start.
 * - `module` comes first, because unused code cannot be left out of the CommonJS builds of the AWS SDK and zod.
 * - Nothing is external, so the SDK that runs is the SDK that was tested.
 */
export function bundleFunctions(): ReadonlyMap<string, Uint8Array> {
  bundled ??= new Map(
    buildSync({
      entryPoints: functionNames.map((name) => join(entriesFolder, `${name}${extension}`)),
      outdir: 'bundles',
      write: false,
      bundle: true,
      minify: true,
      legalComments: 'none',
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      mainFields: ['module', 'main'],
      alias: { '@aws-sdk/credential-provider-node': credentials },
      logLevel: 'warning',
    }).outputFiles.map((file) => [basename(file.path, '.js'), file.contents]),
  );
  return bundled;
}

/** The code of one function. Its hash is the bundle's, so an unchanged function is not deployed again. */
export function functionCode(name: FunctionName): Code {
  return Code.fromAsset(entriesFolder, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Docker never runs, because `local` always succeeds. The command is set because CDK keys its asset cache by it.
      image: DockerImage.fromRegistry('none'),
      command: [name],
      local: { tryBundle: (folder) => writeBundle(name, folder) },
    },
  });
}

function writeBundle(name: FunctionName, folder: string): boolean {
  const code = bundleFunctions().get(name);
  if (code === undefined) throw new Error(`There is no bundle of the function ${name}.`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), code);
  // Without this file, a package.json further up with "type": "module" would make the bundle an ES module.
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
  return true;
}
