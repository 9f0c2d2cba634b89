import { connectionIdIn, handleConnection } from './websocket/connections-api.ts';
import { answerControl, isControlPath } from './control.ts';
import { headerOf, type Gateway, type GatewayRequest } from './gateway/gateway.ts';
import type { HttpApi } from './http-api/http-api.ts';
import { message } from './http-api/response.ts';
import { asRecord, asText, parseJson } from './json.ts';
import type { Reply, Services } from './services/services.ts';
import { readSite } from './static-files.ts';
import { TemplateError } from './template/template-error.ts';
import type { WebSocketApi } from './websocket/websocket-api.ts';

export interface Answer extends Omit<Reply, 'headers'> {
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  /** For the log alone. */
  readonly detail?: string | undefined;
  /** Asked for too often, or by the cloud's own functions, to be a line in the log. */
  readonly quiet?: boolean;
}

/** Everything that answers on the one port, and the order in which it is asked. */
export class Router {
  readonly #gateway: Gateway;
  readonly #services: Services;
  readonly #webSocketApis: ReadonlyMap<string, WebSocketApi>;
  readonly #httpApis: ReadonlyMap<string, HttpApi>;
  readonly #site: string | undefined;

  constructor(
    gateway: Gateway,
    services: Services,
    webSocketApis: readonly WebSocketApi[],
    httpApis: readonly HttpApi[],
    site: string | undefined,
  ) {
    this.#gateway = gateway;
    this.#services = services;
    this.#webSocketApis = new Map(webSocketApis.map((api) => [api.definition.stage, api]));
    this.#httpApis = new Map(httpApis.map((api) => [api.definition.stage, api]));
    this.#site = site;
    // On AWS each API has a host of its own; here the first part of the path has to tell them apart.
    const stages = [...webSocketApis, ...httpApis].map((api) => api.definition.stage);
    const twice = stages.find((stage, at) => stages.indexOf(stage) !== at);
    if (twice !== undefined)
      throw new TemplateError(`Two APIs have a stage ${twice}: locally one port serves all.`);
  }

  async answer(request: GatewayRequest): Promise<Answer> {
    const { path, method } = request;
    if (isControlPath(path)) return { ...answerControl(request, this.#gateway), quiet: true };
    if (path.startsWith('/2015-03-31/functions/')) return this.#services.handle(request);
    if (headerOf(request, 'x-amz-target') !== undefined) return this.#callService(request);

    const callback = connectionIdIn(path);
    const ofConnection = callback && this.#webSocketApis.get(callback.stage);
    if (callback && ofConnection) {
      return handleConnection(this.#gateway, ofConnection, callback.encodedId, request);
    }
    if (this.webSocketApi(path)) return upgradeRequired();

    const named = this.#httpApis.get(path.split('/', 2)[1] ?? '');
    if (named) return named.handle(request);
    const httpApi = this.#httpApis.get('$default');
    if (
      this.#site !== undefined &&
      (method === 'GET' || method === 'HEAD') &&
      !httpApi?.hasRouteFor(method, path)
    ) {
      const file = await readSite(this.#site, path);
      if (file) return file;
    }
    return httpApi ? httpApi.handle(request) : message(404, 'Not Found');
  }

  /** The WebSocket API whose stage this path is. */
  webSocketApi(path: string): WebSocketApi | undefined {
    return this.#webSocketApis.get(path.replace(/^\//, '').replace(/\/$/, ''));
  }

  /** Calls of functions to their tables and queues would drown the log; their failures belong in it. */
  async #callService(request: GatewayRequest): Promise<Answer> {
    const reply = await this.#services.handle(request);
    if (reply.status < 400) return { ...reply, quiet: true };
    const { __type: type, Message: denial } = asRecord(parseJson(reply.body.toString())?.value);
    const operation = headerOf(request, 'x-amz-target') ?? '';
    const name = asText(type)?.split('#').at(-1) ?? '';
    // Only a denial's words are safe to log: others may quote what was stored.
    const words = name === 'AccessDeniedException' ? `: ${asText(denial) ?? ''}` : '';
    return { ...reply, detail: `${operation} ${name}${words}` };
  }
}

function upgradeRequired(): Answer {
  const answer = message(426, 'Upgrade Required');
  return { ...answer, headers: { ...answer.headers, connection: 'Upgrade', upgrade: 'websocket' } };
}
