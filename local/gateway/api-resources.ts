import { asRecord, asText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** The resources of one API in a template: its stages, routes, integrations and authorizers. */
export class ApiResources {
  readonly api: Resource;
  readonly apiId: string;
  readonly #deployment: Deployment;

  constructor(deployment: Deployment, api: Resource) {
    this.#deployment = deployment;
    this.api = api;
    this.apiId = deployment.physicalId(api.logicalId);
  }

  /** `type` is the last part of `AWS::ApiGatewayV2::Route`. */
  all(type: string): readonly Resource[] {
    const ofType = this.#deployment.ofType(`AWS::ApiGatewayV2::${type}`);
    return ofType.filter(({ properties }) => properties.ApiId === this.apiId);
  }

  idOf({ logicalId }: Resource): string {
    return this.#deployment.physicalId(logicalId);
  }

  integrationOf(route: Resource): Resource {
    return this.#named(route, 'Integration', required(route, 'Target').replace(/^integrations\//, ''));
  }

  authorizerOf(route: Resource): Resource {
    return this.#named(route, 'Authorizer', required(route, 'AuthorizerId'));
  }

  #named(route: Resource, type: string, id: string): Resource {
    const found = this.all(type).find((each) => this.idOf(each) === id);
    if (found) return found;
    throw new TemplateError(`${route.logicalId}: it names an ${type.toLowerCase()} that the template lacks`);
  }
}

/** The APIs of a template with this protocol. */
export function apisOf(deployment: Deployment, protocol: 'WEBSOCKET' | 'HTTP'): ApiResources[] {
  return deployment
    .ofType('AWS::ApiGatewayV2::Api')
    .filter(({ properties }) => properties.ProtocolType === protocol)
    .map((api) => new ApiResources(deployment, api));
}

/** A property without which CloudFormation refuses the resource. */
export function required(resource: Resource, property: string): string {
  const value = asText(resource.properties[property]);
  if (value === undefined) throw new TemplateError(`${resource.logicalId}: ${property} is missing`);
  return value;
}

export function stageVariablesOf(stage: Resource): Record<string, string> {
  const variables = Object.entries(asRecord(stage.properties.StageVariables));
  return Object.fromEntries(variables.map(([name, value]) => [name, asText(value) ?? '']));
}
