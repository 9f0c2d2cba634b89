import { type JsonRecord, toText } from '../json.ts';
import { readAssembly } from './assembly.ts';
import { apiPaths, localAddresses } from './local-addresses.ts';
import { apiIdsOf, checkNames, inertTypes, mappingsOf, type Place, stagesOf, within } from './places.ts';
import { TemplateStack } from './stack.ts';
import { TemplateError } from './template-error.ts';

export interface Resource {
  /** With several stacks, the name of its stack is before it: `Orders/Table`. */
  readonly logicalId: string;
  readonly type: string;
  /** All intrinsic functions are resolved. */
  readonly properties: JsonRecord;
}

/** The stacks of an assembly as CloudFormation would deploy them to this machine. */
export interface Deployment {
  readonly stackNames: readonly string[];
  readonly region: string;
  readonly accountId: string;
  /** The address of this cloud: `http://127.0.0.1:8080`. */
  readonly endpoint: string;
  readonly resources: ReadonlyMap<string, Resource>;
  /** By name. With several stacks, the name of the stack is before it, as CDK prints it: `Orders.Url`. */
  readonly outputs: ReadonlyMap<string, string>;
  /** The types that do not run here, with the number of their resources. */
  readonly inert: ReadonlyMap<string, number>;
  /** The folders of the file assets, by S3 key. */
  readonly assetFolders: ReadonlyMap<string, string>;
  ofType(type: string): readonly Resource[];
  /** The value of `Ref`: the id of an API, the name of a function or table, the URL of a queue. */
  physicalId(logicalId: string): string;
  /** The value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): string;
  /** The path under which an API is served: empty for the root, else `/{apiId}`. `undefined` for an unknown API. */
  apiPath(apiId: string): string | undefined;
}

export interface DeploymentOptions {
  /** The stacks to run, by the names that users give. @default - all */
  readonly stacks?: readonly string[];
  /** Values for parameters of the templates. @default - their defaults */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Refuses a stack with a resource of a type that does not run here. @default false */
  readonly strict?: boolean;
}

/** The Region and account of a laptop. */
const region = 'us-east-1';
const accountId = '000000000000';

/** Reads the stacks of a cloud assembly. `endpoint` is this cloud's own address: `http://127.0.0.1:8080`. */
export function loadDeployment(
  assemblyDir: string,
  endpoint: string,
  options: DeploymentOptions = {},
): Deployment {
  const sources = readAssembly(assemblyDir);
  const parameters = new Map(Object.entries(options.parameters ?? {}));
  const surroundings = { region, accountId, endpoint, parameters, importValue, ssmParameter };
  const all = sources.map((source) => new TemplateStack(source, surroundings));
  const stacks = chosen(all, options.stacks ?? []);
  checkParameters(stacks, parameters);
  const isSingle = stacks.length === 1;

  const places = new Map(
    stacks.flatMap((stack) =>
      [...stack.resourceTypes()].map(([logicalId, type]) => {
        const key = isSingle ? logicalId : `${stack.name}/${logicalId}`;
        return [key, { stack, logicalId, type }] as const;
      }),
    ),
  );
  const inert = inertTypes(places, options.strict === true);
  const paths = apiPaths(apiIdsOf(places), stagesOf(places));
  const local = localAddresses(paths, mappingsOf(places), region, endpoint);
  const resources = new Map(
    [...places].map(([key, { stack, logicalId, type }]) => {
      const properties = within(key, () => local(stack.properties(logicalId)) as JsonRecord);
      return [key, { logicalId: key, type, properties }] as const;
    }),
  );
  const outputs = stacks.flatMap((stack) =>
    stack.outputNames().map((name) => {
      const key = isSingle ? name : `${stack.name}.${name}`;
      return [key, within(key, () => toText(local(stack.output(name))))] as const;
    }),
  );
  checkNames(places);

  return {
    stackNames: stacks.map(({ name }) => name),
    region,
    accountId,
    endpoint,
    resources,
    outputs: new Map(outputs),
    inert,
    assetFolders: new Map(sources.flatMap(({ assetFolders }) => [...assetFolders])),
    ofType: (type) => [...resources.values()].filter((resource) => resource.type === type),
    physicalId: (key) => placeOf(key).stack.physicalId(placeOf(key).logicalId),
    attribute: (key, name) => placeOf(key).stack.attribute(placeOf(key).logicalId, name),
    apiPath: (apiId) => paths.get(apiId),
  };

  function placeOf(key: string): Place {
    const place = places.get(key);
    if (place === undefined) throw new TemplateError(`There is no resource ${key}.`);
    return place;
  }

  function importValue(name: string): unknown {
    for (const stack of all) {
      const output = stack.outputExportedAs(name);
      if (output === undefined) continue;
      if (stacks.includes(stack)) return stack.output(output);
      throw new TemplateError(`The export ${name} needs the stack ${stack.name}: add --stack ${stack.name}.`);
    }
    throw new TemplateError(`No stack of ${assemblyDir} exports ${name}.`);
  }

  function ssmParameter(name: string): string {
    for (const stack of stacks) {
      const found = [...stack.resourceTypes()].find(
        ([logicalId, type]) => type === 'AWS::SSM::Parameter' && stack.physicalId(logicalId) === name,
      );
      if (found !== undefined) return toText(stack.property(found[0], 'Value'));
    }
    throw new TemplateError(`No stack that runs has the SSM parameter ${name}.`);
  }
}

function chosen(all: readonly TemplateStack[], wanted: readonly string[]): readonly TemplateStack[] {
  const known = `the stacks are ${all.map(({ name }) => name).join(', ')}.`;
  const missing = wanted.find((name) => !all.some(({ names }) => names.includes(name)));
  if (missing !== undefined) throw new TemplateError(`There is no stack ${missing}; ${known}`);
  const stacks = all.filter(
    ({ names }) => wanted.length === 0 || names.some((name) => wanted.includes(name)),
  );
  const twice = stacks.find(({ name }, at) => stacks.findIndex((other) => other.name === name) !== at);
  if (twice === undefined) return stacks;
  throw new TemplateError(`Two stacks have the name ${twice.name}: choose one with --stack and its path.`);
}

function checkParameters(stacks: readonly TemplateStack[], parameters: ReadonlyMap<string, string>): void {
  const known = stacks.flatMap(({ parameterNames }) => parameterNames);
  const unknown = [...parameters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TemplateError(`No template has the parameter ${unknown}.`);
}
