import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage, Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { FunctionName } from '../../lambdas/environment.ts';
import { type Bundle, bundleOf } from './bundles.ts';

const entriesFolder = fileURLToPath(new URL('../../lambdas/', import.meta.url));

/** The code of one function. Its hash is the bundle's, so an unchanged function is not deployed again. */
export function functionCode(scope: Construct, name: FunctionName, modules: readonly string[] = []): Code {
  // Not in `tryBundle`: CDK would wrap an error in the owner's code into errors and traces of its own.
  const bundle = Stack.of(scope).bundlingRequired ? bundleOf(name, modules) : new Map<string, Uint8Array>();
  return Code.fromAsset(entriesFolder, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Docker never runs, because `local` always succeeds. The command is set because CDK keys its asset cache by it.
      image: DockerImage.fromRegistry('none'),
      command: [name, ...modules],
      local: { tryBundle: (folder) => writeBundle(folder, bundle) },
    },
  });
}

function writeBundle(folder: string, bundle: Bundle): boolean {
  mkdirSync(folder, { recursive: true });
  for (const [file, contents] of bundle) writeFileSync(join(folder, file), contents);
  // Without this file, a package.json further up with "type": "module" would make the bundle an ES module.
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
  return true;
}
