/**
 * Sends to this cloud what a function sends to a host of AWS, over HTTPS or not. The function keeps the address that it
 * would use on AWS, such as `https://{domainName}/{stage}`, and no call leaves the machine by mistake. The header `Host`
 * stays as it is: the signature covers it, and the cloud finds the API by it.
 */
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { Readable } from 'node:stream';

export function redirectAwsHosts(endpoint) {
  const { hostname, port } = new URL(endpoint);

  for (const module of [http, https]) {
    const original = module.request;
    module.request = (...args) => {
      const { options, callback } = normalised(args);
      const host = String(options.hostname ?? options.host ?? '');
      if (!isAws(host)) return original(...args);
      const { agent: _, ...rest } = options;
      const headers = { host, ...lowerCased(options.headers) };
      return plainRequest({ ...rest, protocol: 'http:', host: hostname, hostname, port, headers }, callback);
    };
    module.get = (...args) => module.request(...args).end();
  }
  syncBuiltinESMExports();

  const originalFetch = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (!isAws(url.hostname)) return originalFetch(input, init);
    const request = new Request(input, init);
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    const { method, signal } = request;
    // Node's fetch would set `Host` itself.
    const headers = { ...Object.fromEntries(request.headers), host: url.host };
    const options = { hostname, port, path: url.pathname + url.search, method, headers, signal };
    return new Promise((resolve, reject) => {
      plainRequest(options, (incoming) => resolve(responseOf(incoming)))
        .on('error', reject)
        .end(body);
    });
  };
}

function responseOf(incoming) {
  const { statusCode: status, statusMessage: statusText, rawHeaders } = incoming;
  const isEmpty = status === 204 || status === 304;
  if (isEmpty) incoming.resume();
  return new Response(isEmpty ? null : Readable.toWeb(incoming), {
    status,
    statusText,
    headers: pairs(rawHeaders),
  });
}

const plainRequest = http.request;

function isAws(host) {
  return /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)(?::\d+)?$/.test(host);
}

/** `request(url, options, callback)`, where the URL or the options may be left out. */
function normalised(args) {
  const [first, ...rest] = args;
  const isUrl = typeof first === 'string' || first instanceof URL;
  const url = isUrl ? new URL(first) : undefined;
  const given = (isUrl ? rest : args).find((arg) => typeof arg === 'object' && arg !== null) ?? {};
  const callback = args.find((arg) => typeof arg === 'function');
  if (url === undefined) return { options: given, callback };
  return { options: { hostname: url.hostname, path: url.pathname + url.search, ...given }, callback };
}

function lowerCased(headers = {}) {
  const entries = Array.isArray(headers) ? pairs(headers) : Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function pairs(flat) {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : []));
}
