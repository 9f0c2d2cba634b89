/**
 * Selects the route key of a message by the RouteSelectionExpression of the API, for example `$request.body.type` or
 * `${request.body.type}` (websocket-api-develop-routes). A body that is not JSON, or lacks the field, selects "". No
 * route has that key, so the message goes to `$default`.
 */
export function selectRouteKey(expression: string, body: string): string {
  const path = /^\$(?:\{request\.body\.(.+)\}|request\.body\.(.+))$/.exec(expression);
  const fields = (path?.[1] ?? path?.[2])?.split('.');
  if (!fields) return '';
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return ''; // The documentation sends a body that is not JSON to `$default`.
  }
  for (const field of fields) value = child(value, field);
  try {
    return asText(value);
  } catch (cause) {
    // Lists within lists, thousands of levels deep, overflow the stack. No route has such a key.
    if (!(cause instanceof RangeError)) throw cause;
    return '';
  }
}

function child(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === field)?.[1];
}

/** Values become text. An array becomes `[item1, item2]`, as in the documentation. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(asText).join(', ')}]`;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
