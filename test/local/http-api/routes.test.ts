import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRoute, parseRouteKey } from '../../../local/http-api/routes.ts';

function match(keys: readonly string[], method: string, path: string) {
  const routes = keys.map((key) => {
    const pattern = parseRouteKey(key);
    if (!pattern) throw new Error(`${key} is no route key`);
    return { key, pattern };
  });
  const found = matchRoute(routes, method, path);
  return found && { key: found.route.key, ...found.pathParameters };
}

describe('the route of a request (http-api-develop-routes)', () => {
  const keys = [
    '$default',
    'ANY /{proxy+}',
    'GET /pets/{proxy+}',
    'GET /pets/{pet}',
    'GET /pets/dog',
    'ANY /pets/dog',
    'ANY /pets/{pet}/{toy}',
  ];

  it.each([
    ['GET', '/pets/dog', { key: 'GET /pets/dog' }],
    ['PUT', '/pets/dog', { key: 'ANY /pets/dog' }],
    ['GET', '/pets/cat', { key: 'GET /pets/{pet}', pet: 'cat' }],
    ['PUT', '/pets/cat', { key: 'ANY /{proxy+}', proxy: 'pets/cat' }],
    ['GET', '/pets/cat/ball', { key: 'ANY /pets/{pet}/{toy}', pet: 'cat', toy: 'ball' }],
    ['GET', '/pets/cat/ball/red', { key: 'GET /pets/{proxy+}', proxy: 'cat/ball/red' }],
    ['GET', '/pets/', { key: 'ANY /{proxy+}', proxy: 'pets/' }],
    ['GET', '/', { key: '$default' }],
  ])('%s %s', (method, path, expected) => {
    expect(match(keys, method, path)).toEqual(expected);
  });

  it('does not exist if nothing matches', () => {
    expect(match(['GET /a', 'GET /a/{b}'], 'GET', '/a/')).toBeUndefined();
    expect(match(['GET /a'], 'POST', '/a')).toBeUndefined();
  });

  it('has decoded values for its variables, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (value) => {
        const path = `/sessions/${encodeURIComponent(value)}`;
        expect(match(['GET /sessions/{id}'], 'GET', path)).toEqual({ key: 'GET /sessions/{id}', id: value });
      }),
    );
  });

  it('can be found for a path that is not validly encoded', () => {
    expect(match(['GET /{a}'], 'GET', '/%')).toEqual({ key: 'GET /{a}', a: '%' });
  });

  it.each(['get /a', 'GET a', '$connect', ''])('cannot have the key "%s"', (key) => {
    expect(parseRouteKey(key)).toBeUndefined();
  });
});
