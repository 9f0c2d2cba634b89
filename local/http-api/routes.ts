/** A parsed route key: `GET /sessions/{connectionId}`, `ANY /{proxy+}` or `$default`. */
export type RoutePattern =
  | { readonly kind: 'default' }
  | { readonly kind: 'path'; readonly method: string; readonly segments: readonly Segment[] };

type Segment = { readonly kind: 'literal' | 'variable' | 'greedy'; readonly text: string };

export interface RouteMatch<Route> {
  readonly route: Route;
  readonly pathParameters: Readonly<Record<string, string>>;
}

export function parseRouteKey(key: string): RoutePattern | undefined {
  if (key === '$default') return { kind: 'default' };
  const match = /^([A-Z]+) (\/.*)$/.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { kind: 'path', method: match[1], segments: split(match[2]).map(parseSegment) };
}

/**
 * The route for a request (http-api-develop-routes). A full match wins over a greedy one, and that over `$default`. A
 * named method wins over ANY. `path` is as on the wire; path parameters are decoded.
 */
export function matchRoute<Route extends { readonly pattern: RoutePattern }>(
  routes: readonly Route[],
  method: string,
  path: string,
): RouteMatch<Route> | undefined {
  const given = split(path);
  let best: (RouteMatch<Route> & { readonly rank: string }) | undefined;
  for (const route of routes) {
    const { pattern } = route;
    if (pattern.kind === 'default' || (pattern.method !== method && pattern.method !== 'ANY')) continue;
    const pathParameters = matchSegments(pattern.segments, given);
    if (!pathParameters) continue;
    const rank = rankOf(pattern.segments, pattern.method);
    if (!best || rank < best.rank) best = { route, pathParameters, rank };
  }
  if (best) return best;
  const fallback = routes.find((route) => route.pattern.kind === 'default');
  return fallback && { route: fallback, pathParameters: {} };
}

function matchSegments(
  pattern: readonly Segment[],
  given: readonly string[],
): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [at, segment] of pattern.entries()) {
    const part = given[at];
    if (part === undefined) return undefined;
    if (segment.kind === 'literal' && segment.text !== decode(part)) return undefined;
    if (segment.kind === 'greedy') {
      const rest = given.slice(at).join('/');
      return rest === '' ? undefined : { ...parameters, [segment.text]: decode(rest) };
    }
    if (segment.kind === 'variable') {
      if (part === '') return undefined;
      parameters[segment.text] = decode(part);
    }
  }
  return pattern.length === given.length ? parameters : undefined;
}

/** A more specific pattern has a lower rank, segment by segment. The method decides among equal paths only. */
function rankOf(segments: readonly Segment[], method: string): string {
  const ranks = { literal: '0', variable: '1', greedy: '2' };
  return segments.map((segment) => ranks[segment.kind]).join('') + (method === 'ANY' ? '/1' : '/0');
}

function parseSegment(text: string): Segment {
  const variable = /^\{([^}]+?)(\+?)\}$/.exec(text);
  if (variable?.[1] === undefined) return { kind: 'literal', text };
  return { kind: variable[2] === '+' ? 'greedy' : 'variable', text: variable[1] };
}

function split(path: string): string[] {
  return path.slice(1).split('/');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone `%` encodes nothing and stays.
  }
}
