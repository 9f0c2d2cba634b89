import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';

const folder = path.join(import.meta.dirname, 'pages');

/** The server of the old front ends, which is not that of the stack. */
export interface PageServer {
  /** The address of a page of `pages/` that connects to this server. */
  address(page: string, server: string, options?: Readonly<Record<string, string>>): string;
  close(): Promise<void>;
}

export async function startPageServer(): Promise<PageServer> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const name = path.basename(pathname);
    const isScript = name.endsWith('.js');
    const read = isScript ? bundle(name) : readFile(path.join(folder, name), 'utf8');
    read.then(
      (text) => {
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
        // The address of the server is the line that a migration changes.
        response.end(text.replace('{server}', searchParams.get('server') ?? ''));
      },
      (cause: unknown) => response.writeHead(404).end(String(cause)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: (page, url, options = {}) =>
      `http://127.0.0.1:${port}/${page}?${new URLSearchParams({ server: url, ...options }).toString()}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A script with the packages that it imports, such as `vue`, as they are published. */
async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(folder, name.replace(/\.js$/, '.mjs'))],
    define: {
      __VUE_OPTIONS_API__: 'true',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
      'process.env.NODE_ENV': '"production"',
    },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
  });
  return outputFiles[0]?.text ?? '';
}
