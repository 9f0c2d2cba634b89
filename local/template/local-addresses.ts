import { isRecord } from '../json.ts';
import { executeApiHost } from './resource-types.ts';

/** A stage of an API of the template. */
export interface ApiStage {
  readonly apiId: string;
  readonly stageName: string;
}

/**
 * The path under which this machine serves each API. On AWS each API has a host of its own. Here an API is at the root,
 * unless an earlier API has a stage of the same name; then it is under `/{apiId}`. A path works with every client;
 * a host such as `{apiId}.localhost` does not: Node asks the resolver of the system, and not every one knows it.
 */
export function apiPaths(
  apiIds: readonly string[],
  stages: readonly ApiStage[],
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const paths = new Map<string, string>();
  for (const apiId of apiIds) {
    const names = stages.filter((stage) => stage.apiId === apiId).map(({ stageName }) => stageName);
    const isFree = names.every((name) => !owners.has(name));
    if (isFree) for (const name of names) owners.set(name, apiId);
    paths.set(apiId, isFree ? '' : `/${apiId}`);
  }
  return paths;
}

/** Replaces the default endpoints of the template's APIs by their addresses on this machine. Every other URL stays. */
export function localAddresses(
  paths: ReadonlyMap<string, string>,
  region: string,
  endpoint: string,
): (value: unknown) => unknown {
  return rewrite;

  function rewrite(value: unknown): unknown {
    if (typeof value === 'string') return [...paths].reduce(replaceHost, value);
    if (Array.isArray(value)) return value.map(rewrite);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, rewrite(entry)]));
  }

  function replaceHost(text: string, [apiId, path]: readonly [string, string]): string {
    const host = `${apiId}.${executeApiHost(region)}`;
    return text
      .replaceAll(`https://${host}`, endpoint + path)
      .replaceAll(`wss://${host}`, endpoint.replace('http', 'ws') + path);
  }
}
