import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

export interface StaticFile {
  readonly status: 200;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Reads the file of a path below `root`; `undefined` if there is none. A path that ends in `/` is its `index.html`. */
export async function readStaticFile(root: string, path: string): Promise<StaticFile | undefined> {
  const relative = decodePath(path.endsWith('/') ? `${path}index.html` : path);
  if (relative === undefined) return undefined;
  try {
    const base = await realpath(root);
    // The check needs the real path: `..` and symbolic links must not lead out of the folder.
    const file = await realpath(join(base, relative));
    if (!file.startsWith(base + sep)) return undefined;
    const body = await readFile(file);
    const type = CONTENT_TYPES[extname(file)] ?? 'application/octet-stream';
    return { status: 200, headers: { ...commonHeaders, 'content-type': type }, body };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') ? undefined : decoded;
  } catch {
    return undefined; // A lone `%` encodes nothing, so no file has this path.
  }
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG';
}

/**
 * A page loads its own files and calls its own address, and nothing else. No page frames it. Scripts and styles are files:
 * what slips into the page as text cannot run. https://www.w3.org/TR/CSP3/
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const commonHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
