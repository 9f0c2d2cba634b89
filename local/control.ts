import type { Faults } from './faults/faults.ts';
import { FaultSettingsError } from './faults/settings.ts';
import type { Gateway } from './gateway/gateway.ts';
import { headerOf, type GatewayRequest } from './gateway/request.ts';
import { parseJson } from './json.ts';
import type { Reply } from './services/reply.ts';

export function isControlPath(path: string): boolean {
  return path === '/_local' || path.startsWith('/_local/');
}

type ControlParts = Pick<Gateway, 'meter' | 'log' | 'faults'>;

/** The pages of the laptop itself: `/_local/health`, `/_local/meter`, `/_local/log`, `/_local/faults`. */
export function answerControl(request: GatewayRequest, parts: ControlParts): Reply {
  // A web page can rebind its host name to 127.0.0.1 and read this as same-origin. It cannot hide that host name.
  if (!isLoopback(headerOf(request, 'host'))) return json(403, { message: 'Forbidden' });
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
  // Any web page may send a text request here without a preflight. Only pages of this machine may switch faults on.
  const origin = headerOf(request, 'origin');
  if (origin !== undefined && !isLoopback(origin.replace(/^https?:\/\//, '')))
    return json(403, { message: 'Forbidden' });
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

function isLoopback(host: string | undefined): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i.test(host ?? '');
}

function json(status: number, value: unknown): Reply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers, body: JSON.stringify(value) };
}
