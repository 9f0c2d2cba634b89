import { answerControl, isControlPath } from './control.ts';
import type { Gateway } from './gateway/gateway.ts';
import { headerOf, type GatewayRequest } from './gateway/request.ts';
import type { HttpApi } from './http-api/http-api.ts';
import { message } from './http-api/response.ts';
import { asRecord, asText, parseJson } from './json.ts';
import type { Reply } from './services/reply.ts';
import type { Services } from './services/services.ts';
import { readStaticFile } from './static-files.ts';
import { TemplateError } from './template/template-error.ts';
import { connectionIdIn, handleConnection } from './websocket/connections-api.ts';
import type { WebSocketApi } from './websocket/websocket-api.ts';

export interface Answer extends Omit<Reply, 'headers'> {
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  /** For the log alone. */
  readonly detail?: string | undefined;
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
  const webSocketApis = byStage(options.webSocketApis);
  const httpApis = byStage(options.httpApis);
  refuseSameStages([...options.webSocketApis, ...options.httpApis]);

  return {
    async answer(request) {
      const { path } = request;
      if (isControlPath(path)) return { ...answerControl(request, gateway), quiet: true };
      if (path.startsWith('/2015-03-31/functions/')) return services.handle(request);
      if (headerOf(request, 'x-amz-target') !== undefined) return callService(request);

      const callback = connectionIdIn(path);
      const api = callback && webSocketApis.get(callback.stage);
      if (callback && api) return handleConnection(gateway, api, callback.encodedId, request);
      if (webSocketApi(path)) return upgradeRequired();

      const named = httpApis.get(path.split('/', 2)[1] ?? '');
      if (named) return named.handle(request);
      const httpApi = httpApis.get('$default');
      const file = httpApi?.hasRouteFor(request.method, path) ? undefined : await staticFile(request);
      return file ?? httpApi?.handle(request) ?? message(404, 'Not Found');
    },
    webSocketApi,
  };

  function webSocketApi(path: string): WebSocketApi | undefined {
    return webSocketApis.get(path.replace(/^\//, '').replace(/\/$/, ''));
  }

  async function staticFile({ method, path }: GatewayRequest): Promise<Answer | undefined> {
    if (site === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined;
    return readStaticFile(site, path);
  }

  /** Functions call their tables and queues all the time, so only failed calls are logged. */
  async function callService(request: GatewayRequest): Promise<Answer> {
    const reply = await services.handle(request);
    if (reply.status < 400) return { ...reply, quiet: true };
    const { __type: type, Message: denial } = asRecord(parseJson(reply.body.toString())?.value);
    const operation = headerOf(request, 'x-amz-target') ?? '';
    const name = asText(type)?.split('#').at(-1) ?? '';
    // Only the message of a denial is safe to log. Other messages may quote stored data.
    const reason = name === 'AccessDeniedException' ? `: ${asText(denial) ?? ''}` : '';
    return { ...reply, detail: `${operation} ${name}${reason}` };
  }
}

interface Staged {
  readonly definition: { readonly stage: string };
}

function byStage<Api extends Staged>(apis: readonly Api[]): ReadonlyMap<string, Api> {
  return new Map(apis.map((api) => [api.definition.stage, api]));
}

/** On AWS each API has its own host. Here the first part of the path must tell the APIs apart. */
function refuseSameStages(apis: readonly Staged[]): void {
  const stages = apis.map((api) => api.definition.stage);
  const twice = stages.find((stage, at) => stages.indexOf(stage) !== at);
  if (twice !== undefined) {
    throw new TemplateError(`Two APIs have a stage ${twice}: locally one port serves all.`);
  }
}

function upgradeRequired(): Answer {
  const answer = message(426, 'Upgrade Required');
  return { ...answer, headers: { ...answer.headers, connection: 'Upgrade', upgrade: 'websocket' } };
}
