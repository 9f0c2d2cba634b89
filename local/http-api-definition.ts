import { parseIdentitySource, type IdentitySource } from './identity-source.ts';
import { functionArnOf, readIntegration, type Integration } from './integration.ts';
import { asBoolean, asNumber, asText, asTexts, isRecord } from './json.ts';
import type { Cors } from './http-api-cors.ts';
import { parseRouteKey, type RoutePattern } from './http-api-routes.ts';
import { TemplateError } from './template-error.ts';
import type { Deployment, Resource } from './template.ts';
import { required, texts } from './websocket-definition.ts';

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

/** 30 seconds for an integration, 10 for an authorizer (http-api-quotas); no template can raise them. */
const maxIntegrationMs = 30_000;
const maxAuthorizerMs = 10_000;

export function readHttpApis(deployment: Deployment): HttpApiDefinition[] {
  const apis = deployment
    .ofType('AWS::ApiGatewayV2::Api')
    .filter((api) => api.properties.ProtocolType === 'HTTP');
  return apis.flatMap((api) => {
    const apiId = deployment.physicalId(api.logicalId);
    const ofApi = (type: string): Resource[] =>
      deployment.ofType(`AWS::ApiGatewayV2::${type}`).filter((each) => each.properties.ApiId === apiId);
    const routes = ofApi('Route').map((route) => readRoute(deployment, route, ofApi));
    const cors = readCors(api.properties.CorsConfiguration);
    return ofApi('Stage').map((stage) => ({
      apiId,
      stage: required(stage, 'StageName'),
      stageVariables: texts(stage.properties.StageVariables),
      routes,
      ...(cors ? { cors } : {}),
    }));
  });
}

function readRoute(deployment: Deployment, route: Resource, ofApi: (type: string) => Resource[]): HttpRoute {
  const { properties, logicalId } = route;
  const byId = (type: string, id: string | undefined): Resource => {
    const found = ofApi(type).find((each) => deployment.physicalId(each.logicalId) === id);
    if (!found)
      throw new TemplateError(`${logicalId}: it names an ${type.toLowerCase()} that the template lacks`);
    return found;
  };
  const integration = byId('Integration', required(route, 'Target').replace(/^integrations\//, ''));
  if (asText(integration.properties.PayloadFormatVersion) !== '2.0') {
    throw new TemplateError(`${integration.logicalId}: only the payload format 2.0 runs locally`);
  }
  const type = asText(properties.AuthorizationType) ?? 'NONE';
  if (type !== 'NONE' && type !== 'AWS_IAM' && type !== 'CUSTOM') {
    throw new TemplateError(`${logicalId}: authorization ${type} does not run locally`);
  }
  const key = required(route, 'RouteKey');
  const pattern = parseRouteKey(key);
  if (!pattern) throw new TemplateError(`${logicalId}: ${key} is no route key of an HTTP API`);
  const authorization =
    type === 'CUSTOM'
      ? readAuthorizer(deployment, byId('Authorizer', asText(properties.AuthorizerId)))
      : type;
  return { key, pattern, integration: readIntegration(integration, maxIntegrationMs), authorization };
}

function readAuthorizer(deployment: Deployment, { properties, logicalId }: Resource): HttpAuthorizer {
  if (properties.AuthorizerType !== 'REQUEST') {
    throw new TemplateError(
      `${logicalId}: an authorizer of type JWT does not run locally; take a Lambda authorizer`,
    );
  }
  if (asText(properties.AuthorizerPayloadFormatVersion) !== '2.0') {
    throw new TemplateError(`${logicalId}: only the authorizer payload format 2.0 runs locally`);
  }
  const functionArn = functionArnOf(asText(properties.AuthorizerUri), logicalId);
  return {
    id: deployment.physicalId(logicalId),
    integration: { functionArn, timeoutMs: maxAuthorizerMs },
    identitySources: asTexts(properties.IdentitySource).map((source) =>
      parseIdentitySource(source, logicalId),
    ),
    simpleResponses: asBoolean(properties.EnableSimpleResponses) ?? false,
    cacheSeconds: asNumber(properties.AuthorizerResultTtlInSeconds) ?? 0,
  };
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
