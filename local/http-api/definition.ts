import { apisOf, required, stageVariablesOf, type ApiResources } from '../gateway/api-resources.ts';
import { parseIdentitySource, type IdentitySource } from '../gateway/authorizer.ts';
import { functionArnOf, readIntegration, type Integration } from '../gateway/integration.ts';
import { asBoolean, asNumber, asText, asTexts, isRecord } from '../json.ts';
import type { Cors } from './cors.ts';
import { parseRouteKey, type RoutePattern } from './routes.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** One stage of an HTTP API, as the template describes it. */
export interface HttpApiDefinition {
  readonly apiId: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  readonly routes: readonly HttpRoute[];
  readonly cors?: Cors;
}

export interface HttpRoute {
  readonly key: string;
  readonly pattern: RoutePattern;
  readonly integration: Integration;
  readonly authorization: 'NONE' | 'AWS_IAM' | HttpAuthorizer;
}

export interface HttpAuthorizer {
  readonly id: string;
  readonly integration: Integration;
  readonly identitySources: readonly IdentitySource[];
  readonly simpleResponses: boolean;
  readonly cacheSeconds: number;
}

/** 30 seconds for an integration, 10 for an authorizer (http-api-quotas). No template can raise them. */
const maxIntegrationMs = 30_000;
const maxAuthorizerMs = 10_000;

export function readHttpApis(deployment: Deployment): HttpApiDefinition[] {
  return apisOf(deployment, 'HTTP').flatMap((resources) => {
    const routes = resources.all('Route').map((route) => readRoute(resources, route));
    const cors = readCors(resources.api.properties.CorsConfiguration);
    return resources.all('Stage').map((stage) => ({
      apiId: resources.apiId,
      stage: required(stage, 'StageName'),
      stageVariables: stageVariablesOf(stage),
      routes,
      ...(cors ? { cors } : {}),
    }));
  });
}

function readRoute(resources: ApiResources, route: Resource): HttpRoute {
  const { properties, logicalId } = route;
  const integration = resources.integrationOf(route);
  const key = required(route, 'RouteKey');
  const pattern = parseRouteKey(key);
  if (!pattern) throw new TemplateError(`${logicalId}: ${key} is not a route key of an HTTP API.`);
  const type = asText(properties.AuthorizationType) ?? 'NONE';
  if (type !== 'NONE' && type !== 'AWS_IAM' && type !== 'CUSTOM') {
    throw new TemplateError(`${logicalId}: authorization ${type} does not run locally.`);
  }
  const proxy = readIntegration(integration, maxIntegrationMs);
  requireFormat2(integration, 'PayloadFormatVersion');
  const authorization = type === 'CUSTOM' ? readAuthorizer(resources, resources.authorizerOf(route)) : type;
  return { key, pattern, integration: proxy, authorization };
}

function readAuthorizer(resources: ApiResources, authorizer: Resource): HttpAuthorizer {
  const { properties, logicalId } = authorizer;
  if (properties.AuthorizerType !== 'REQUEST') {
    throw new TemplateError(
      `${logicalId}: an authorizer of type JWT does not run locally; use a Lambda authorizer.`,
    );
  }
  requireFormat2(authorizer, 'AuthorizerPayloadFormatVersion');
  const functionArn = functionArnOf(asText(properties.AuthorizerUri), logicalId);
  return {
    id: resources.idOf(authorizer),
    integration: { functionArn, timeoutMs: maxAuthorizerMs },
    identitySources: asTexts(properties.IdentitySource).map((source) =>
      parseIdentitySource(source, logicalId),
    ),
    simpleResponses: asBoolean(properties.EnableSimpleResponses) ?? false,
    cacheSeconds: asNumber(properties.AuthorizerResultTtlInSeconds) ?? 0,
  };
}

/** Every field of format 1.0 differs. A function that expects it must not get 2.0. */
function requireFormat2({ properties, logicalId }: Resource, property: string): void {
  if (asText(properties[property]) === '2.0') return;
  throw new TemplateError(`${logicalId}: only the payload format 2.0 runs locally (${property}).`);
}

function readCors(value: unknown): Cors | undefined {
  if (!isRecord(value)) return undefined;
  const maxAgeSeconds = asNumber(value.MaxAge);
  return {
    allowOrigins: asTexts(value.AllowOrigins),
    allowMethods: asTexts(value.AllowMethods),
    allowHeaders: asTexts(value.AllowHeaders),
    exposeHeaders: asTexts(value.ExposeHeaders),
    allowCredentials: asBoolean(value.AllowCredentials) ?? false,
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
}
