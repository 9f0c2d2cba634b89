import { asText } from '../json.ts';
import type { ApiMapping, ApiStage } from './local-addresses.ts';
import { runsHere } from './resource-types.ts';
import type { TemplateStack } from './stack.ts';
import { TemplateError } from './template-error.ts';

/** Where a resource of a deployment is declared. */
export interface Place {
  readonly stack: TemplateStack;
  readonly logicalId: string;
  readonly type: string;
}

/** The types that do not run here, with the number of their resources. */
export function inertTypes(places: ReadonlyMap<string, Place>, strict: boolean): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [key, place] of places) {
    const type = inertTypeOf(place);
    if (type === undefined) continue;
    if (strict) throw new TemplateError(`${key}: resources of type ${type} cannot run here.`);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

/** The type, if it does not run here. Of the functions, only those for Node run. */
function inertTypeOf({ stack, logicalId, type }: Place): string | undefined {
  if (!runsHere(type)) return type;
  if (type !== 'AWS::Lambda::Function') return undefined;
  const runtime = asText(stack.property(logicalId, 'Runtime')) ?? 'container image';
  return runtime.startsWith('nodejs') ? undefined : `${type} (${runtime})`;
}

export function apiIdsOf(places: ReadonlyMap<string, Place>): readonly string[] {
  return [...places.values()]
    .filter(({ type }) => type === 'AWS::ApiGatewayV2::Api')
    .map(({ stack, logicalId }) => stack.physicalId(logicalId));
}

export function stagesOf(places: ReadonlyMap<string, Place>): readonly ApiStage[] {
  return [...places]
    .filter(([, { type }]) => type === 'AWS::ApiGatewayV2::Stage')
    .map(([key, { stack, logicalId }]) =>
      within(key, () => ({
        apiId: asText(stack.property(logicalId, 'ApiId')) ?? '',
        stageName: asText(stack.property(logicalId, 'StageName')) ?? '',
      })),
    );
}

export function mappingsOf(places: ReadonlyMap<string, Place>): readonly ApiMapping[] {
  return [...places]
    .filter(([, { type }]) => type === 'AWS::ApiGatewayV2::ApiMapping')
    .map(([key, { stack, logicalId }]) =>
      within(key, () => ({
        apiId: asText(stack.property(logicalId, 'ApiId')) ?? '',
        stageName: asText(stack.property(logicalId, 'Stage')) ?? '',
        domainName: asText(stack.property(logicalId, 'DomainName')) ?? '',
        mappingKey: asText(stack.property(logicalId, 'ApiMappingKey')) ?? '',
      })),
    );
}

/** An account holds a name once. Two stacks that give the same name cannot both be deployed. */
export function checkNames(places: ReadonlyMap<string, Place>): void {
  const owners = new Map<string, string>();
  for (const [key, { stack, logicalId, type }] of places) {
    if (!uniqueNames.has(type)) continue;
    const id = `${type} ${stack.physicalId(logicalId)}`;
    const owner = owners.get(id);
    if (owner !== undefined) throw new TemplateError(`${owner} and ${key} have the same name: ${id}.`);
    owners.set(id, key);
  }
}

const uniqueNames = new Set([
  ...['AWS::Lambda::Function', 'AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable', 'AWS::SQS::Queue'],
  ...['AWS::SecretsManager::Secret', 'AWS::S3::Bucket', 'AWS::SSM::Parameter', 'AWS::Events::EventBus'],
  ...['AWS::IAM::Role'],
]);

/** Adds the resource or output of the template to an error. */
export function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TemplateError) || error.message.startsWith(name)) throw error;
    throw new TemplateError(`${name}: ${error.message}`, { cause: error });
  }
}
