import { isRecord } from '../json.ts';
import { executeApiHost } from './resource-types.ts';

/** Replaces the default endpoints of the template's APIs by this machine. Every other URL stays. */
export function localAddresses(
  apiIds: readonly string[],
  region: string,
  endpoint: string,
): (value: unknown) => unknown {
  const hosts = apiIds.map((apiId) => `${apiId}.${executeApiHost(region)}`);
  return rewrite;

  function rewrite(value: unknown): unknown {
    if (typeof value === 'string') return hosts.reduce(replaceHost, value);
    if (Array.isArray(value)) return value.map(rewrite);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, rewrite(entry)]));
  }

  function replaceHost(text: string, host: string): string {
    return text
      .replaceAll(`https://${host}`, endpoint)
      .replaceAll(`wss://${host}`, endpoint.replace('http', 'ws'));
  }
}
