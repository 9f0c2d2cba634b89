import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asRecord, asText, isRecord, type JsonRecord, parseJson } from '../json.ts';
import { TemplateError } from './template-error.ts';

/** One synthesised stack as `cdk synth` writes it. */
export interface Assembly {
  readonly stackName: string;
  readonly template: JsonRecord;
  /** The folders of the file assets by the S3 key under which the template names them. */
  readonly assetFolders: ReadonlyMap<string, string>;
}

/**
 * Reads a cloud assembly with exactly one stack.
 * https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html
 */
export function readAssembly(folder: string): Assembly {
  const artifacts = Object.entries(asRecord(readJson(folder, 'manifest.json').artifacts));
  const stacks = artifacts.filter(([, artifact]) => asRecord(artifact).type === 'aws:cloudformation:stack');
  const [stack, ...others] = stacks;
  if (stack === undefined) throw new TemplateError(`${folder} holds no stack; run \`cdk synth\` first.`);
  if (others.length > 0) {
    throw new TemplateError(`${folder} holds ${String(stacks.length)} stacks; only one can run at a time.`);
  }
  const [artifactId, artifact] = stack;
  const properties = asRecord(asRecord(artifact).properties);
  const templateFile = asText(properties.templateFile) ?? `${artifactId}.template.json`;
  return {
    stackName: asText(properties.stackName) ?? artifactId,
    template: readJson(folder, templateFile),
    assetFolders: new Map(
      artifacts.flatMap(([, other]) => {
        const { type, properties: assetProperties } = asRecord(other);
        if (type !== 'cdk:asset-manifest') return [];
        return assetsOf(folder, asText(asRecord(assetProperties).file) ?? '');
      }),
    ),
  };
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
