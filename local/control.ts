import { headerOf, type GatewayRequest } from './gateway/gateway.ts';
import type { Log } from './log.ts';
import type { Meter } from './meter.ts';
import type { Reply } from './services.ts';

export function isControlPath(path: string): boolean {
  return path === '/_local' || path.startsWith('/_local/');
}

/** What the laptop offers beside AWS: `/_local/health`, `/_local/meter`, `/_local/log`. */
export function answerControl(request: GatewayRequest, meter: Meter, log: Log): Reply {
  // A web page whose host name was rebound to 127.0.0.1 would be same-origin here, but it cannot lie about that name.
  if (!isLoopback(headerOf(request, 'host'))) return json(403, { message: 'Forbidden' });
  const read = pages[request.path];
  if (!read) return json(404, { message: 'Not Found' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const reply = json(405, { message: 'Method Not Allowed' });
    return { ...reply, headers: { ...reply.headers, allow: 'GET, HEAD' } };
  }
  return json(200, read(meter, log));
}

const pages: Readonly<Record<string, (meter: Meter, log: Log) => unknown>> = {
  '/_local/health': () => ({ status: 'ok' }),
  '/_local/meter': (meter) => meter.snapshot(),
  '/_local/log': (_meter, log) => ({ entries: log.entries() }),
};

function isLoopback(host: string | undefined): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i.test(host ?? '');
}

function json(status: number, value: unknown): Reply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers, body: JSON.stringify(value) };
}
