import { isRecord } from '../json.ts';
import { executeApiHost } from './resource-types.ts';

/** A stage of an API of the template. */
export interface ApiStage {
  readonly apiId: string;
  readonly stageName: string;
}

/** A stage that a custom domain leads to: the properties of an `AWS::ApiGatewayV2::ApiMapping`. */
export interface ApiMapping extends ApiStage {
  readonly domainName: string;
  readonly mappingKey: string;
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

/**
 * Replaces the default endpoints and domains of the template's APIs by their addresses on this machine. Every other URL
 * stays.
 */
export function localAddresses(
  paths: ReadonlyMap<string, string>,
  mappings: readonly ApiMapping[],
  region: string,
  endpoint: string,
): (value: unknown) => unknown {
  // The longest key first, because a domain with several mappings may have one without a key.
  const domains = mappings
    .toSorted((one, other) => other.mappingKey.length - one.mappingKey.length)
    .map(({ domainName, mappingKey, apiId, stageName }) => ({
      address: mappingKey === '' ? domainName : `${domainName}/${mappingKey}`,
      stage: `${apiId}.${executeApiHost(region)}${stageName === '$default' ? '' : `/${stageName}`}`,
    }));
  return rewrite;

  function rewrite(value: unknown): unknown {
    if (typeof value === 'string') return [...paths].reduce(replaceHost, replaceDomains(value));
    if (Array.isArray(value)) return value.map(rewrite);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, rewrite(entry)]));
  }

  /** A domain is another name of the stage that it leads to. */
  function replaceDomains(text: string): string {
    return text.replaceAll(/(https|wss):\/\/([^\s",]+)/g, (url, scheme: string, rest: string) => {
      const domain = domains.find(({ address }) => isUnder(address, rest));
      return domain ? `${scheme}://${domain.stage}${rest.slice(domain.address.length)}` : url;
    });
  }

  function replaceHost(text: string, [apiId, path]: readonly [string, string]): string {
    const host = `${apiId}.${executeApiHost(region)}`;
    return text
      .replaceAll(`https://${host}`, endpoint + path)
      .replaceAll(`wss://${host}`, endpoint.replace('http', 'ws') + path);
  }
}

/** `ws.example.com/v10` is not under `ws.example.com/v1`. */
function isUnder(address: string, url: string): boolean {
  return url === address || (url.startsWith(address) && /^[/?#]/.test(url.slice(address.length)));
}
