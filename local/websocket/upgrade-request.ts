import { forwardedHeaders, queryOf, type GatewayRequest } from '../gateway/request.ts';

/** The handshake request as events show it. Header names keep the client's case; each has one value and a list of all. */
export interface UpgradeRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  /** Real events have neither map if there is no query. */
  readonly query: {
    readonly queryStringParameters?: Readonly<Record<string, string>>;
    readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>>;
  };
}

export function readUpgradeRequest(request: GatewayRequest, traceId: string): UpgradeRequest {
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

/** A header by its name in any case. */
export function headerIn(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
}

/** The headers without those named. The CONNECT event lacks `Connection` and `Upgrade`. */
export function without(
  parts: UpgradeRequest,
  names: readonly string[],
): Pick<UpgradeRequest, 'headers' | 'multiValueHeaders'> {
  const kept = Object.entries(parts.multiValueHeaders).filter(
    ([name]) => !names.includes(name.toLowerCase()),
  );
  return both(new Map(kept));
}

function both(
  lists: ReadonlyMap<string, readonly string[]>,
): Pick<UpgradeRequest, 'headers' | 'multiValueHeaders'> {
  return {
    // API Gateway shows the last value of a repeated header.
    headers: Object.fromEntries([...lists].map(([name, values]) => [name, values.at(-1) ?? ''])),
    multiValueHeaders: Object.fromEntries(lists),
  };
}

function readQuery(url: string): UpgradeRequest['query'] {
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
