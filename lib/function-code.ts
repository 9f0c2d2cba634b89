import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../lambdas/environment.ts';
import { bundleOf } from './bundles.ts';

const entriesFolder = fileURLToPath(new URL('../lambdas/', import.meta.url));

/** The code of one function. Its hash is the bundle's, so an unchanged function is not deployed again. */
export function functionCode(name: FunctionName, listeners: readonly string[] = []): Code {
  return Code.fromAsset(entriesFolder, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Docker never runs, because `local` always succeeds. The command is set because CDK keys its asset cache by it.
      image: DockerImage.fromRegistry('none'),
      command: [name, ...listeners],
      local: { tryBundle: (folder) => writeBundle(folder, name, listeners) },
    },
  });
}

function writeBundle(folder: string, name: FunctionName, listeners: readonly string[]): boolean {
  mkdirSync(folder, { recursive: true });
  for (const [file, contents] of bundleOf(name, listeners)) writeFileSync(join(folder, file), contents);
  // Without this file, a package.json further up with "type": "module" would make the bundle an ES module.
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}\n');
  return true;
}
