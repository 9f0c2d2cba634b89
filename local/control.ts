import type { Faults } from './faults/faults.ts';
import { FaultSettingsError } from './faults/settings.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { GatewayRequest } from './gateway/request.ts';
import { parseJson } from './json.ts';
import type { Reply } from './services/reply.ts';

export function isControlPath(path: string): boolean {
  return path === '/_local' || path.startsWith('/_local/');
}

type ControlParts = Pick<Gateway, 'meter' | 'log' | 'faults'>;

/** The pages of the laptop itself: `/_local/health`, `/_local/meter`, `/_local/log`, `/_local/faults`. */
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
  [faultsPath]: ({ faults }) => faults.settings,
};

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
