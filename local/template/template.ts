import { readAssembly } from './assembly.ts';
import { evaluateCondition, noValue, resolve, type Scope } from './intrinsics.ts';
import { asRecord, asText, type JsonRecord, toText } from '../json.ts';
import { type ApiMapping, localAddresses } from './local-addresses.ts';
import { type ResourceContext, type ResourceType, resourceTypes } from './resource-types.ts';
import { TemplateError } from './template-error.ts';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** All intrinsic functions are resolved. */
  readonly properties: JsonRecord;
}

/** A template as CloudFormation would deploy it to this machine. */
export interface Deployment {
  readonly stackName: string;
  readonly region: string;
  readonly accountId: string;
  /** The address of this cloud: `http://127.0.0.1:8080`. */
  readonly endpoint: string;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly outputs: ReadonlyMap<string, string>;
  /** The folders of the file assets, by S3 key. */
  readonly assetFolders: ReadonlyMap<string, string>;
  ofType(type: string): readonly Resource[];
  /** The value of `Ref`: the id of an API, the name of a function or table, the URL of a queue. */
  physicalId(logicalId: string): string;
  /** The value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): string;
}

/** The Region and account of a laptop. */
const region = 'us-east-1';
const accountId = '000000000000';

/** Reads the stack of a cloud assembly. `endpoint` is this cloud's own address: `http://127.0.0.1:8080`. */
export function loadDeployment(assemblyDir: string, endpoint: string): Deployment {
  const { stackName, template, assetFolders } = readAssembly(assemblyDir);
  const parameters = asRecord(template.Parameters);
  const conditions = asRecord(template.Conditions);
  const pseudo = pseudoParameters(stackName);
  const scope: Scope = {
    ref(name) {
      if (name in pseudo) return pseudo[name];
      if (name in parameters) return parameterValue(name);
      return physicalId(name);
    },
    attribute,
    condition(name) {
      if (!(name in conditions)) throw new TemplateError(`There is no condition ${name}.`);
      return evaluateCondition(conditions[name], scope);
    },
  };

  const declared = new Map(
    Object.entries(asRecord(template.Resources))
      .map(([logicalId, body]) => [logicalId, asRecord(body)] as const)
      .filter(([, body]) => body.Condition === undefined || scope.condition(asText(body.Condition) ?? '')),
  );
  // First, so that the error names the unknown type and not a resource that refers to it.
  for (const logicalId of declared.keys()) typeOf(logicalId);
  const local = localAddresses(
    declaredAs('AWS::ApiGatewayV2::Api').map((id) => physicalId(id)),
    declaredAs('AWS::ApiGatewayV2::ApiMapping').map(readMapping),
    region,
    endpoint,
  );
  const resources = new Map(
    [...declared].map(([logicalId, body]) => {
      const properties = asRecord(local(within(logicalId, () => resolve(body.Properties ?? {}, scope))));
      return [logicalId, { logicalId, type: asText(body.Type) ?? '', properties }] as const;
    }),
  );
  const outputs = Object.entries(asRecord(template.Outputs)).flatMap(([name, body]) => {
    const output = asRecord(body);
    if (output.Condition !== undefined && !scope.condition(asText(output.Condition) ?? '')) return [];
    return [[name, toText(local(within(name, () => resolve(output.Value, scope))))] as const];
  });
  return {
    stackName,
    region,
    accountId,
    endpoint,
    assetFolders,
    resources,
    outputs: new Map(outputs),
    ofType: (type) => [...resources.values()].filter((resource) => resource.type === type),
    physicalId,
    attribute,
  };

  function declaredAs(type: string): readonly string[] {
    return [...declared].filter(([, body]) => body.Type === type).map(([logicalId]) => logicalId);
  }

  function readMapping(logicalId: string): ApiMapping {
    const mapping = contextOf(logicalId);
    const [domainName = '', apiId = '', stageName = '', mappingKey = ''] = [
      'DomainName',
      'ApiId',
      'Stage',
      'ApiMappingKey',
    ].map((name) => asText(mapping.property(name)));
    return { domainName, apiId, stageName, mappingKey };
  }

  function parameterValue(name: string): unknown {
    const { Default: value, Type: type } = asRecord(parameters[name]);
    if (value === undefined) throw new TemplateError(`The parameter ${name} has no default.`);
    return type === 'CommaDelimitedList' ? toText(value).split(',') : value;
  }

  function physicalId(logicalId: string): string {
    return typeOf(logicalId).ref(contextOf(logicalId));
  }

  function attribute(logicalId: string, name: string): string {
    const read = typeOf(logicalId).attributes[name];
    if (read === undefined) {
      throw new TemplateError(`${logicalId} (${typeName(logicalId)}) has no attribute ${name} here.`);
    }
    return read(contextOf(logicalId));
  }

  function typeOf(logicalId: string): ResourceType {
    const name = typeName(logicalId);
    const type = Object.hasOwn(resourceTypes, name) ? resourceTypes[name] : undefined;
    if (type === undefined)
      throw new TemplateError(`${logicalId}: resources of type ${name} cannot run here.`);
    return type;
  }

  function typeName(logicalId: string): string {
    const body = declared.get(logicalId);
    if (body === undefined) throw new TemplateError(`There is no resource or parameter ${logicalId}.`);
    return asText(body.Type) ?? '(none)';
  }

  function contextOf(logicalId: string): ResourceContext {
    const properties = asRecord(declared.get(logicalId)?.Properties);
    return {
      logicalId,
      stackName,
      region,
      accountId,
      endpoint,
      property(name) {
        const value = resolve(properties[name], scope);
        return value === noValue ? undefined : value;
      },
    };
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
function pseudoParameters(stackName: string): JsonRecord {
  return {
    'AWS::AccountId': accountId,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/${stackName}`,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': noValue,
  };
}

/** Adds the resource or output of the template to an error. */
function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TemplateError) || error.message.startsWith(name)) throw error;
    throw new TemplateError(`${name}: ${error.message}`, { cause: error });
  }
}
