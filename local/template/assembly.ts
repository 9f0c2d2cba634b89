import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asRecord, asText, asTexts, isRecord, type JsonRecord, parseJson } from '../json.ts';
import { TemplateError } from './template-error.ts';

/** One synthesised stack as `cdk synth` writes it. */
export interface AssemblyStack {
  readonly stackName: string;
  /** The names by which a user may choose it: the stack's, the artifact's, and the path that `cdk ls` prints. */
  readonly names: readonly string[];
  readonly template: JsonRecord;
  /** The folders of the file assets by the S3 key under which the template names them. */
  readonly assetFolders: ReadonlyMap<string, string>;
}

/**
 * Reads all stacks of a cloud assembly, also those of its stages, which are assemblies within it.
 * https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html
 */
export function readAssembly(folder: string): readonly AssemblyStack[] {
  const stacks = stacksIn(folder);
  if (stacks.length === 0) throw new TemplateError(`${folder} holds no stack; run \`cdk synth\` first.`);
  return stacks;
}

function stacksIn(folder: string): readonly AssemblyStack[] {
  const artifacts = Object.entries(asRecord(readJson(folder, 'manifest.json').artifacts)).map(
    ([id, artifact]): JsonRecord => ({ id, ...asRecord(artifact) }),
  );
  const assetFolders = new Map(
    artifacts
      .filter(({ type }) => type === 'cdk:asset-manifest')
      .flatMap(({ properties }) => assetsOf(folder, asText(asRecord(properties).file) ?? '')),
  );
  const own = artifacts.flatMap((artifact) => {
    const properties = asRecord(artifact.properties);
    if (artifact.type !== 'aws:cloudformation:stack') return [];
    const id = asText(artifact.id) ?? '';
    const stackName = asText(properties.stackName) ?? id;
    const template = readJson(folder, asText(properties.templateFile) ?? `${id}.template.json`);
    return [{ stackName, names: [stackName, id, ...asTexts(artifact.displayName)], template, assetFolders }];
  });
  const nested = artifacts
    .filter(({ type }) => type === 'cdk:cloud-assembly')
    .flatMap(({ properties }) => stacksIn(join(folder, asText(asRecord(properties).directoryName) ?? '')));
  return [...own, ...nested];
}

function assetsOf(folder: string, manifestFile: string): readonly (readonly [string, string])[] {
  return Object.values(asRecord(readJson(folder, manifestFile).files)).flatMap((file) => {
    const { source, destinations } = asRecord(file);
    const path = asText(asRecord(source).path);
    // An asset that a command builds (`source.executable`) has no path. Functions that run here do not use one.
    if (path === undefined) return [];
    return Object.values(asRecord(destinations)).flatMap((destination) => {
      const key = asText(asRecord(destination).objectKey);
      return key === undefined ? [] : [[key, join(folder, path)] as const];
    });
  });
}

function readJson(folder: string, file: string): JsonRecord {
  let text: string;
  try {
    text = readFileSync(join(folder, file), 'utf8');
  } catch (cause) {
    throw new TemplateError(`${join(folder, file)} cannot be read; run \`cdk synth\` first.`, { cause });
  }
  const parsed = parseJson(text);
  if (parsed === undefined || !isRecord(parsed.value)) {
    throw new TemplateError(`${join(folder, file)} is not a JSON object.`);
  }
  return parsed.value;
}
