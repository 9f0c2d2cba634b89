import { asRecord, asText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** The resources of one API in a template: its stages, routes, integrations and authorizers. */
export interface ApiResources {
  readonly api: Resource;
  readonly apiId: string;
  /** `type` is the last part of `AWS::ApiGatewayV2::Route`. */
  all(type: string): readonly Resource[];
  idOf(resource: Resource): string;
  integrationOf(route: Resource): Resource;
  authorizerOf(route: Resource): Resource;
}

/** The APIs of a template with this protocol. */
export function apisOf(deployment: Deployment, protocol: 'WEBSOCKET' | 'HTTP'): ApiResources[] {
  return deployment
    .ofType('AWS::ApiGatewayV2::Api')
    .filter(({ properties }) => properties.ProtocolType === protocol)
    .map((api) => resourcesOf(deployment, api));
}

/** A property without which CloudFormation refuses the resource. */
export function required(resource: Resource, property: string): string {
  const value = asText(resource.properties[property]);
  if (value === undefined) throw new TemplateError(`${resource.logicalId}: ${property} is missing.`);
  return value;
}

export function stageVariablesOf(stage: Resource): Record<string, string> {
  const variables = Object.entries(asRecord(stage.properties.StageVariables));
  return Object.fromEntries(variables.map(([name, value]) => [name, asText(value) ?? '']));
}

function resourcesOf(deployment: Deployment, api: Resource): ApiResources {
  const apiId = deployment.physicalId(api.logicalId);
  const idOf = ({ logicalId }: Resource): string => deployment.physicalId(logicalId);
  const all = (type: string): readonly Resource[] =>
    deployment.ofType(`AWS::ApiGatewayV2::${type}`).filter(({ properties }) => properties.ApiId === apiId);
  const find = (route: Resource, type: string, id: string): Resource => {
    const found = all(type).find((resource) => idOf(resource) === id);
    if (found) return found;
    throw new TemplateError(`${route.logicalId}: the template has no ${type.toLowerCase()} ${id}.`);
  };
  return {
    api,
    apiId,
    all,
    idOf,
    integrationOf: (route) =>
      find(route, 'Integration', required(route, 'Target').replace(/^integrations\//, '')),
    authorizerOf: (route) => find(route, 'Authorizer', required(route, 'AuthorizerId')),
  };
}
