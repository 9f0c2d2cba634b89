import { isRecord } from '../json.ts';
import { executeApiHost } from './resource-types.ts';

/** A stage that a custom domain leads to: the properties of an `AWS::ApiGatewayV2::ApiMapping`. */
export interface ApiMapping {
  readonly domainName: string;
  readonly mappingKey: string;
  readonly apiId: string;
  readonly stageName: string;
}

/** Replaces the default endpoints and domains of the template's APIs by this machine. Every other URL stays. */
export function localAddresses(
  apiIds: readonly string[],
  mappings: readonly ApiMapping[],
  region: string,
  endpoint: string,
): (value: unknown) => unknown {
  const hosts = apiIds.map((apiId) => `${apiId}.${executeApiHost(region)}`);
  // The longest key first, because a domain with several mappings may have one without a key.
  const domains = mappings
    .toSorted((one, other) => other.mappingKey.length - one.mappingKey.length)
    .map(({ domainName, mappingKey, apiId, stageName }) => ({
      address: mappingKey === '' ? domainName : `${domainName}/${mappingKey}`,
      stage: `${apiId}.${executeApiHost(region)}${stageName === '$default' ? '' : `/${stageName}`}`,
    }));
  return rewrite;

  function rewrite(value: unknown): unknown {
    if (typeof value === 'string') return hosts.reduce(replaceHost, replaceDomains(value));
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

  function replaceHost(text: string, host: string): string {
    return text
      .replaceAll(`https://${host}`, endpoint)
      .replaceAll(`wss://${host}`, endpoint.replace('http', 'ws'));
  }
}

/** `ws.example.com/v10` is not under `ws.example.com/v1`. */
function isUnder(address: string, url: string): boolean {
  return url === address || (url.startsWith(address) && /^[/?#]/.test(url.slice(address.length)));
}
