import { answerControl, isControlPath } from './control.ts';
import type { Gateway } from './gateway/gateway.ts';
import { headerOf, type GatewayRequest } from './gateway/request.ts';
import type { HttpApi } from './http-api/http-api.ts';
import { message } from './http-api/response.ts';
import { asRecord, asText, parseJson } from './json.ts';
import { invocationPath } from './lambda/invoke.ts';
import type { Reply } from './services/reply.ts';
import type { Services } from './services/services.ts';
import { readStaticFile } from './static-files.ts';
import { connectionIdIn, handleConnection } from './websocket/connections-api.ts';
import type { WebSocketApi } from './websocket/websocket-api.ts';

export interface Answer extends Omit<Reply, 'headers'> {
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  /** Leaves the request out of the log. Functions and pollers send too many of these. */
  readonly quiet?: boolean;
}

export interface Router {
  answer(request: GatewayRequest): Promise<Answer>;
  /** The WebSocket API whose stage this path is. */
  webSocketApi(path: string): WebSocketApi | undefined;
}

/** Finds who answers a request on the one port: control, services, callback API, HTTP APIs, then static files. */
export function createRouter(options: {
  readonly gateway: Gateway;
  readonly services: Services;
  readonly webSocketApis: readonly WebSocketApi[];
  readonly httpApis: readonly HttpApi[];
  /** A folder of static files. */
  readonly site: string | undefined;
}): Router {
  const { gateway, services, site } = options;
  const { deployment } = gateway;
  const webSocketApis = byPath(options.webSocketApis);
  const httpApis = byPath(options.httpApis);

  return {
    async answer(request) {
      const { path } = request;
      if (isControlPath(path)) {
        const parts = { ...gateway, webSocketApis: options.webSocketApis };
        return { ...answerControl(request, parts), quiet: true };
      }
      if (services.runs(request) || (services.handles(request) && !isWronglySigned(request))) {
        return callService(request);
      }
      const apiId = /^([a-z0-9]+)\.execute-api\./.exec(headerOf(request, 'host') ?? '')?.[1];
      if (apiId !== undefined) {
        const place = deployment.apiPath(apiId);
        return place === undefined ? unknownApi(apiId) : answerApi(request, place);
      }
      const basePath = basePathOf(path);
      return answerApi({ ...request, path: path.slice(basePath.length) || '/' }, basePath);
    },
    webSocketApi(path) {
      const basePath = basePathOf(path);
      return webSocketApi(path.slice(basePath.length), basePath);
    },
  };

  /**
   * A request of an IAM route or of the callback API may be signed for any service by mistake. The API refuses it, as on
   * AWS.
   */
  function isWronglySigned({ method, path }: GatewayRequest): boolean {
    const basePath = basePathOf(path);
    const ownPath = path.slice(basePath.length) || '/';
    const httpApi = httpApis.get(`${basePath}/$default`);
    return (
      callbackApi(ownPath, basePath) !== undefined || (httpApi?.hasIamRouteFor(method, ownPath) ?? false)
    );
  }

  /** `/{apiId}` of an API that is not at the root; else empty. */
  function basePathOf(path: string): string {
    const [, apiId = ''] = path.split('/', 2);
    return deployment.apiPath(apiId) ?? '';
  }

  /** `request.path` has no base path, as on AWS. Signatures cover `url`, which stays whole. */
  async function answerApi(request: GatewayRequest, basePath: string): Promise<Answer> {
    const { path } = request;
    const callback = callbackApi(path, basePath);
    if (callback) return handleConnection(gateway, callback.api, callback.encodedId, request);
    if (webSocketApi(path, basePath)) return upgradeRequired();

    const named = httpApis.get(`${basePath}/${path.split('/', 2)[1] ?? ''}`);
    if (named) return named.handle(request);
    const httpApi = httpApis.get(`${basePath}/$default`);
    const file = httpApi?.hasRouteFor(request.method, path) ? undefined : await staticFile(request);
    return file ?? httpApi?.handle(request) ?? message(404, 'Not Found');
  }

  function callbackApi(path: string, basePath: string) {
    const callback = connectionIdIn(path);
    const api = callback && webSocketApis.get(`${basePath}/${callback.stage}`);
    return callback && api && { api, encodedId: callback.encodedId };
  }

  function webSocketApi(path: string, basePath: string): WebSocketApi | undefined {
    return webSocketApis.get(`${basePath}/${path.replace(/^\//, '').replace(/\/$/, '')}`);
  }

  function byPath<Api extends Staged>(apis: readonly Api[]): ReadonlyMap<string, Api> {
    return new Map(
      apis.map((api) => [`${deployment.apiPath(api.definition.apiId) ?? ''}/${api.definition.stage}`, api]),
    );
  }

  async function staticFile({ method, path }: GatewayRequest): Promise<Answer | undefined> {
    if (site === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined;
    return readStaticFile(site, path);
  }

  /** Functions call their tables and queues all the time, so only failed calls are logged. */
  async function callService(request: GatewayRequest): Promise<Answer> {
    const reply = await services.handle(request);
    // Invocations are the work of functions, so each has a line.
    if (invocationPath.test(request.url)) return reply;
    if (reply.status < 400) return { ...reply, quiet: true };
    if (reply.detail !== undefined) return reply;
    const { __type: type, Message: denial } = asRecord(parseJson(reply.body.toString())?.value);
    const operation = headerOf(request, 'x-amz-target') ?? '';
    const name = asText(type)?.split('#').at(-1) ?? '';
    // Only the message of a denial is safe to log. Other messages may quote stored data.
    const reason = name === 'AccessDeniedException' ? `: ${asText(denial) ?? ''}` : '';
    return { ...reply, detail: `${operation} ${name}${reason}` };
  }
}

interface Staged {
  readonly definition: { readonly apiId: string; readonly stage: string };
}

/** A function called the host of an API that is in no stack that runs. */
function unknownApi(apiId: string): Answer {
  return { ...message(403, 'Forbidden'), detail: `no stack that runs has the API ${apiId}` };
}

function upgradeRequired(): Answer {
  const answer = message(426, 'Upgrade Required');
  return { ...answer, headers: { ...answer.headers, connection: 'Upgrade', upgrade: 'websocket' } };
}
