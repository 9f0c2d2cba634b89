import { forwardedHeaders } from '../gateway/forwarded-headers.ts';
import { queryOf, type GatewayRequest } from '../gateway/gateway.ts';

/** The handshake request as events show it: header names in the client's case, each name once and as a list. */
export interface UpgradeParts {
  readonly headers: Readonly<Record<string, string>>;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  /** The two query maps, both absent where there is no query, as real events have it. */
  readonly query: {
    readonly queryStringParameters?: Readonly<Record<string, string>>;
    readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>>;
  };
}

export function readUpgrade(request: GatewayRequest, traceId: string): UpgradeParts {
  const headers = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    const known = [...headers.keys()].find((each) => each.toLowerCase() === name.toLowerCase()) ?? name;
    headers.set(known, [...(headers.get(known) ?? []), value]);
  };
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    add(request.rawHeaders[at] ?? '', request.rawHeaders[at + 1] ?? '');
  }
  for (const [name, value] of forwardedHeaders(request, traceId)) add(name, value);
  return { ...both(headers), query: readQuery(request.url) };
}

/** A header by name without regard to case. */
export function headerIn(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
}

/** The same headers without those named; the CONNECT event lacks `Connection` and `Upgrade`. */
export function without(
  parts: UpgradeParts,
  names: readonly string[],
): Pick<UpgradeParts, 'headers' | 'multiValueHeaders'> {
  const kept = Object.entries(parts.multiValueHeaders).filter(
    ([name]) => !names.includes(name.toLowerCase()),
  );
  return both(new Map(kept));
}

function both(
  lists: ReadonlyMap<string, readonly string[]>,
): Pick<UpgradeParts, 'headers' | 'multiValueHeaders'> {
  return {
    // Of a repeated header the last value is the single one.
    headers: Object.fromEntries([...lists].map(([name, values]) => [name, values.at(-1) ?? ''])),
    multiValueHeaders: Object.fromEntries(lists),
  };
}

function readQuery(url: string): UpgradeParts['query'] {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(queryOf(url))) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  if (values.size === 0) return {};
  return {
    queryStringParameters: Object.fromEntries([...values].map(([name, all]) => [name, all.at(-1) ?? ''])),
    multiValueQueryStringParameters: Object.fromEntries(values),
  };
}
