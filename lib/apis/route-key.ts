import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';

/** A route of one's own, such as `GET /desk/agents/{agentId}`. */
export interface OwnRoute {
  readonly method: HttpMethod;
  readonly path: string;
}

const methods = new Map<string, HttpMethod>(Object.values(HttpMethod).map((method) => [method, method]));

/** The first segments of the paths that belong to Switchboard, and to the control of the laptop cloud. */
const reserved: readonly string[] = [
  'publish',
  'messages',
  'sessions',
  'publications',
  'channels',
  'presence',
  'tickets',
  '_local',
];

/** A segment is plain text, or one path variable. A greedy variable, `{rest+}`, may only be the last. */
const path = /^(\/([\w.~-]+|\{[\w.-]+\}))*\/([\w.~-]+|\{[\w.-]+\+?\})$/;

/**
 * Reads the key of a route. Throws an error that names it if it cannot be a route of one's own.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
export function readRouteKey(key: string): OwnRoute {
  const [name = '', route = '', ...rest] = key.split(' ');
  const method = methods.get(name);
  if (method === undefined || rest.length > 0 || !path.test(route)) {
    throw new Error(
      `Route ${JSON.stringify(key)} is not a route key; it is METHOD /path, such as "GET /desk/agents/{agentId}", ` +
        `with a method of ${[...methods.keys()].join(', ')}.`,
    );
  }
  const first = route.split('/')[1] ?? '';
  if (reserved.includes(first)) {
    throw new Error(`Route ${JSON.stringify(key)} is under /${first}, which belongs to Switchboard.`);
  }
  return { method, path: route };
}

/** Keys that match the same requests are equal in this form: the names of path variables make no difference. */
export function withoutNames({ method, path: route }: OwnRoute): string {
  return `${method} ${route.replaceAll(/\{[^}+]+/g, '{')}`;
}
