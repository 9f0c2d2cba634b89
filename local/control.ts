import type { Faults } from './faults/faults.ts';
import { FaultSettingsError } from './faults/settings.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { GatewayRequest } from './gateway/request.ts';
import { parseJson } from './json.ts';
import type { Reply } from './services/reply.ts';
import type { Deployment } from './template/template.ts';
import type { WebSocketDefinition } from './websocket/definition.ts';
import type { WebSocketApi } from './websocket/websocket-api.ts';

export function isControlPath(path: string): boolean {
  return path === '/_local' || path.startsWith('/_local/');
}

interface ControlParts extends Pick<Gateway, 'deployment' | 'meter' | 'log' | 'faults'> {
  readonly webSocketApis: readonly WebSocketApi[];
}

/** The pages of the laptop itself: `/_local/health`, `…/meter`, `…/log`, `…/faults` and `…/stages`. */
export function answerControl(request: GatewayRequest, parts: ControlParts): Reply {
  const { path, method } = request;
  const read = pages[path];
  if (!read) return json(404, { message: 'Not Found' });
  if (method === 'GET' || method === 'HEAD') return json(200, read(parts));
  const allow = path === faultsPath ? 'GET, HEAD, PUT' : 'GET, HEAD';
  if (path === faultsPath && method === 'PUT') return putFaults(request, parts.faults);
  const reply = json(405, { message: 'Method Not Allowed' });
  return { ...reply, headers: { ...reply.headers, allow } };
}

const faultsPath = '/_local/faults';

const pages: Readonly<Record<string, (parts: ControlParts) => unknown>> = {
  '/_local/health': () => ({ status: 'ok' }),
  '/_local/meter': ({ meter }) => meter.snapshot(),
  '/_local/log': ({ log }) => ({ entries: log.entries() }),
  '/_local/stages': ({ webSocketApis, deployment }) => ({
    stages: webSocketApis.map(({ definition }) => stageOf(definition, deployment)),
  }),
  [faultsPath]: ({ faults }) => faults.settings,
};

/** The path of a stage, and the query parameters without which its handshake is a 401. */
function stageOf({ apiId, stage, routes }: WebSocketDefinition, deployment: Deployment) {
  const sources = routes.get('$connect')?.authorizer?.identitySources ?? [];
  const queryParameters = sources.filter(({ from }) => from === 'querystring').map(({ name }) => name);
  return { path: `${deployment.apiPath(apiId) ?? ''}/${stage}`, queryParameters };
}

function putFaults(request: GatewayRequest, faults: Faults): Reply {
  const body = parseJson(request.body.toString());
  if (!body) return json(400, { message: 'body: is not JSON' });
  try {
    faults.replace(body.value);
    return json(200, faults.settings);
  } catch (cause) {
    if (!(cause instanceof FaultSettingsError)) throw cause;
    return json(400, { message: cause.message });
  }
}

function json(status: number, value: unknown): Reply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers, body: JSON.stringify(value) };
}
