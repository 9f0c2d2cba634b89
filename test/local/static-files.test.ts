import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { httpStack } from './harness/http-stack.ts';
import { writeAssembly } from './harness/inline-functions.ts';
import { runCloud } from './harness/running-cloud.ts';

const stack = httpStack({ routes: { 'GET /hello': {} } });

describe('static files', () => {
  async function withSite() {
    const assembly = await writeAssembly(stack);
    const site = join(assembly, 'site');
    await mkdir(join(site, 'assets'), { recursive: true });
    await writeFile(join(site, 'index.html'), '<h1>hello</h1>');
    await writeFile(join(site, 'assets', 'app.js'), 'export {};');
    await symlink(join(assembly, 'manifest.json'), join(site, 'link.json'));
    return runCloud(stack, { site });
  }

  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/assets/app.js', 'text/javascript; charset=utf-8'],
  ])('are served: %s as %s, never from a cache', async (path, type) => {
    const { url } = await withSite();
    const response = await fetch(url + path);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['/', '/assets/app.js'])('are served under a strict policy: %s', async (path) => {
    const { url } = await withSite();
    const { headers } = await fetch(url + path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    const policy = headers.get('content-security-policy')?.split('; ') ?? [];
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
    ])
      expect(policy).toContain(directive);
    for (const directive of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      expect(policy).toContain(directive);
    expect(policy.join()).not.toContain('unsafe');
  });

  it.each(['/..%2fmanifest.json', '/%2e%2e/manifest.json', '/link.json', '/assets', '/none', '/%', '/%00'])(
    'are not served for %s',
    async (path) => {
      const { port } = await withSite();
      const status = await new Promise((resolve) => {
        // fetch would resolve the dot segments of the path first.
        request({ port, host: '127.0.0.1', path }, (response) => {
          resolve(response.resume().statusCode);
        }).end();
      });
      expect(status).toBe(404);
    },
  );

  it('are served only for paths without a route of the HTTP API', async () => {
    const { url } = await withSite();
    expect(await (await fetch(`${url}/hello`)).text()).toBe('GET /hello');
  });
});
