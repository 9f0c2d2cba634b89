import { expect } from 'vitest';
import { type Client, connectEvent, httpEvent, type HttpRequest } from '../events.ts';

/** Connects the clients. `request` calls the API, and `publish` the function behind the publisher. */
export async function load(clients: readonly Client[] = []) {
  const { handler: connect } = await import('../../../lambdas/connect.ts');
  const { handler: api } = await import('../../../lambdas/api.ts');
  const { handler: publish } = await import('../../../lambdas/publish.ts');
  await Promise.all(clients.map((client) => connect(connectEvent(client))));
  return {
    publish,
    request: async (routeKey: string, request?: HttpRequest) => {
      const { statusCode, headers, body } = await api(httpEvent(routeKey, request));
      expect(headers).toEqual({ 'content-type': 'application/json' });
      return { status: statusCode, body: JSON.parse(body) as unknown };
    },
  };
}
