import { apisOf, required, stageVariablesOf, type ApiResources } from '../gateway/api-resources.ts';
import { parseIdentitySource, type IdentitySource } from '../gateway/authorizer.ts';
import { functionArnOf, readIntegration, type Integration } from '../gateway/integration.ts';
import { asText, asTexts } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

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
  /** The route has a route response. Without one, API Gateway drops the answer of the function. */
  readonly returnsResponse: boolean;
  readonly authorizer?: WebSocketAuthorizer;
}

export interface WebSocketAuthorizer {
  readonly id: string;
  readonly integration: Integration;
  readonly identitySources: readonly IdentitySource[];
}

/** 29 seconds. No template can raise it (apigateway-execution-service-websocket-limits-table). */
const maxIntegrationMs = 29_000;

export function readWebSocketApis(deployment: Deployment): WebSocketDefinition[] {
  return apisOf(deployment, 'WEBSOCKET').flatMap((resources) => {
    const routes = new Map(resources.all('Route').map((route) => readRoute(resources, route)));
    return resources.all('Stage').map((stage) => ({
      apiId: resources.apiId,
      stage: required(stage, 'StageName'),
      routeSelectionExpression: required(resources.api, 'RouteSelectionExpression'),
      stageVariables: stageVariablesOf(stage),
      routes,
    }));
  });
}

function readRoute(resources: ApiResources, route: Resource): [string, WebSocketRoute] {
  const { properties, logicalId } = route;
  const authorization = asText(properties.AuthorizationType) ?? 'NONE';
  if (authorization !== 'NONE' && authorization !== 'CUSTOM') {
    throw new TemplateError(
      `${logicalId}: authorization ${authorization} of a WebSocket route does not run locally.`,
    );
  }
  const key = required(route, 'RouteKey');
  const integration = readIntegration(resources.integrationOf(route), maxIntegrationMs);
  // A response needs both: the expression on the route, and the resource (apigateway-websocket-api-route-response).
  const returnsResponse =
    properties.RouteResponseSelectionExpression === '$default' &&
    resources.all('RouteResponse').some(({ properties: response }) => {
      return response.RouteId === resources.idOf(route) && response.RouteResponseKey === '$default';
    });
  const base = { key, integration, returnsResponse };
  if (authorization === 'NONE') return [key, base];
  return [key, { ...base, authorizer: readAuthorizer(resources, resources.authorizerOf(route)) }];
}

function readAuthorizer(resources: ApiResources, authorizer: Resource): WebSocketAuthorizer {
  const { properties, logicalId } = authorizer;
  if (properties.AuthorizerType !== 'REQUEST') {
    throw new TemplateError(`${logicalId}: a WebSocket API takes only authorizers of type REQUEST.`);
  }
  const functionArn = functionArnOf(asText(properties.AuthorizerUri), logicalId);
  return {
    id: resources.idOf(authorizer),
    integration: { functionArn, timeoutMs: maxIntegrationMs },
    identitySources: asTexts(properties.IdentitySource).map((source) =>
      parseIdentitySource(source, logicalId),
    ),
  };
}
