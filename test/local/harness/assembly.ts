import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const written: string[] = [];
afterAll(() => {
  for (const folder of written) rmSync(folder, { recursive: true, force: true });
});

/** Writes a cloud assembly of one stack `Demo`, as `cdk synth` would, and removes it after the file's tests. */
export function writeAssembly(
  template: object,
  assets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'assembly-'));
  written.push(folder);
  const files = Object.fromEntries(
    Object.entries(assets).map(([hash, contents]) => {
      for (const [file, text] of Object.entries(contents)) write(join(folder, `asset.${hash}`, file), text);
      const destinations = { current: { bucketName: 'assets', objectKey: `${hash}.zip` } };
      return [hash, { source: { path: `asset.${hash}`, packaging: 'zip' }, destinations }];
    }),
  );
  const artifacts = {
    'Demo.assets': { type: 'cdk:asset-manifest', properties: { file: 'Demo.assets.json' } },
    Demo: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Demo.template.json' } },
    Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
  };
  write(join(folder, 'manifest.json'), JSON.stringify({ version: '1.0.0', artifacts }));
  write(join(folder, 'Demo.assets.json'), JSON.stringify({ files }));
  write(join(folder, 'Demo.template.json'), JSON.stringify(template));
  return folder;
}

/** Writes a cloud assembly of several stacks, by name. A name with a slash is a stack in a stage: `Prod/Orders`. */
export function writeStacks(templates: Readonly<Record<string, object>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'assembly-'));
  written.push(folder);
  const stages = new Map<string, Record<string, object>>();
  for (const [path, template] of Object.entries(templates)) {
    const [id = '', stage = ''] = path.split('/').reverse();
    const nested = stage === '' ? folder : join(folder, `assembly-${stage}`);
    const stackName = stage === '' ? id : `${stage}-${id}`;
    const properties = { templateFile: `${id}.template.json`, stackName };
    const artifacts = stages.get(stage) ?? {};
    artifacts[`${id}Artifact`] = { type: 'aws:cloudformation:stack', displayName: path, properties };
    stages.set(stage, artifacts);
    write(join(nested, `${id}.template.json`), JSON.stringify(template));
  }
  for (const [stage, artifacts] of stages) {
    if (stage === '') continue;
    const directoryName = `assembly-${stage}`;
    write(join(folder, directoryName, 'manifest.json'), JSON.stringify({ artifacts }));
    const root = stages.get('') ?? {};
    root[directoryName] = { type: 'cdk:cloud-assembly', properties: { directoryName } };
    stages.set('', root);
  }
  write(join(folder, 'manifest.json'), JSON.stringify({ artifacts: stages.get('') }));
  return folder;
}

/** A function and its role. `statements` are what the role allows. */
export function lambdaWithRole(
  id: string,
  code: string,
  options: { readonly properties?: object; readonly statements?: readonly object[] } = {},
): Record<string, object> {
  return {
    [`${id}Role`]: {
      Type: 'AWS::IAM::Role',
      Properties: { Policies: [{ PolicyDocument: { Statement: options.statements ?? [] } }] },
    },
    [id]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Code: { ZipFile: code },
        Role: { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
        ...options.properties,
      },
    },
  };
}

export function allow(action: string | readonly string[], resource: unknown): object {
  return { Effect: 'Allow', Action: action, Resource: resource };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
