import { parseIdentitySource, type IdentitySource } from './identity-source.ts';
import { functionArnOf, readIntegration, type Integration } from './integration.ts';
import { asRecord, asText, asTexts } from './json.ts';
import { TemplateError } from './template-error.ts';
import type { Deployment, Resource } from './template.ts';

/** One stage of a WebSocket API, as the template describes it. */
export interface WebSocketDefinition {
  readonly apiId: string;
  readonly stage: string;
  readonly routeSelectionExpression: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly routes: ReadonlyMap<string, WebSocketRoute>;
}

export interface WebSocketRoute {
  readonly key: string;
  readonly integration: Integration;
  /** Has it a route response? Without one the function's answer is dropped. */
  readonly returnsResponse: boolean;
  readonly authorizer?: WebSocketAuthorizer;
}

export interface WebSocketAuthorizer {
  readonly id: string;
  readonly integration: Integration;
  readonly identitySources: readonly IdentitySource[];
}

/** 29 seconds, and no template can raise it (apigateway-execution-service-websocket-limits-table). */
const maxIntegrationMs = 29_000;

export function readWebSocketApis(deployment: Deployment): WebSocketDefinition[] {
  const apis = deployment
    .ofType('AWS::ApiGatewayV2::Api')
    .filter((api) => api.properties.ProtocolType === 'WEBSOCKET');
  return apis.flatMap((api) => {
    const apiId = deployment.physicalId(api.logicalId);
    const ofApi = (type: string): Resource[] =>
      deployment.ofType(`AWS::ApiGatewayV2::${type}`).filter((each) => each.properties.ApiId === apiId);
    const routes = new Map(ofApi('Route').map((route) => readRoute(deployment, route, ofApi)));
    return ofApi('Stage').map((stage) => ({
      apiId,
      stage: required(stage, 'StageName'),
      routeSelectionExpression: required(api, 'RouteSelectionExpression'),
      stageVariables: texts(stage.properties.StageVariables),
      routes,
    }));
  });
}

function readRoute(
  deployment: Deployment,
  route: Resource,
  ofApi: (type: string) => Resource[],
): [string, WebSocketRoute] {
  const { properties, logicalId } = route;
  const byId = (type: string, id: string | undefined): Resource => {
    const found = ofApi(type).find((each) => deployment.physicalId(each.logicalId) === id);
    if (!found)
      throw new TemplateError(`${logicalId}: it names an ${type.toLowerCase()} that the template lacks`);
    return found;
  };
  const key = required(route, 'RouteKey');
  const authorization = asText(properties.AuthorizationType) ?? 'NONE';
  if (authorization !== 'NONE' && authorization !== 'CUSTOM') {
    throw new TemplateError(
      `${logicalId}: authorization ${authorization} of a WebSocket route does not run locally`,
    );
  }
  const routeId = deployment.physicalId(logicalId);
  const integration = byId('Integration', required(route, 'Target').replace(/^integrations\//, ''));
  const returnsResponse =
    properties.RouteResponseSelectionExpression === '$default' &&
    ofApi('RouteResponse').some(
      ({ properties: response }) => response.RouteId === routeId && response.RouteResponseKey === '$default',
    );
  const authorizer =
    authorization === 'CUSTOM'
      ? { authorizer: readAuthorizer(deployment, byId('Authorizer', asText(properties.AuthorizerId))) }
      : {};
  return [
    key,
    { key, integration: readIntegration(integration, maxIntegrationMs), returnsResponse, ...authorizer },
  ];
}

function readAuthorizer(deployment: Deployment, resource: Resource): WebSocketAuthorizer {
  const { properties, logicalId } = resource;
  if (properties.AuthorizerType !== 'REQUEST') {
    throw new TemplateError(`${logicalId}: a WebSocket API takes only authorizers of type REQUEST`);
  }
  const functionArn = functionArnOf(asText(properties.AuthorizerUri), logicalId);
  return {
    id: deployment.physicalId(logicalId),
    integration: { functionArn, timeoutMs: maxIntegrationMs },
    identitySources: asTexts(properties.IdentitySource).map((source) =>
      parseIdentitySource(source, logicalId),
    ),
  };
}

/** A property without which CloudFormation refuses the resource. */
export function required(resource: Resource, property: string): string {
  const value = asText(resource.properties[property]);
  if (value === undefined) throw new TemplateError(`${resource.logicalId}: ${property} is missing`);
  return value;
}

export function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asRecord(value)).map(([name, text]) => [name, asText(text) ?? '']),
  );
}
