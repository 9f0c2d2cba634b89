import { createHash } from 'node:crypto';

export interface HttpRequest {
  readonly method: string;
  /** Path and query exactly as on the wire. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The value of a header. Repeated headers are joined by a comma, as in the canonical form. */
export function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/**
 * The canonical form of a request; `undefined` if the address or a signed header is not valid.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(
  request: HttpRequest,
  { signedHeaders, service, expiresSeconds }: SignedParts,
): string | undefined {
  const [path, queryText] = splitOnce(request.url, '?');
  const query = canonicalQuery(queryText);
  const headers = canonicalHeaders(request, signedHeaders);
  const canonical = service === 's3' ? objectPath(path) : canonicalPath(path);
  if (query === undefined || headers === undefined || canonical === undefined) return undefined;
  const isObject = service === 's3' && expiresSeconds !== undefined;
  const payloadHash = isObject ? 'UNSIGNED-PAYLOAD' : payloadHashOf(request, service);
  return [request.method, canonical, query, headers, signedHeaders.join(';'), payloadHash].join('\n');
}

interface SignedParts {
  readonly signedHeaders: readonly string[];
  readonly service: string;
  /** Set for a presigned URL. */
  readonly expiresSeconds?: number;
}

/** S3 encodes a path once and leaves it otherwise as it is: an object may have the key `a//b`. */
function objectPath(path: string): string | undefined {
  try {
    return path
      .split('/')
      .map((segment) => encode(decodeURIComponent(segment)))
      .join('/');
  } catch {
    return undefined; // A lone `%` encodes nothing.
  }
}

/**
 * Every service but S3 encodes the path a second time: `%3D` on the wire becomes `%253D`. Empty and dot segments are
 * removed.
 */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  const trailing = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${trailing}`;
}

function canonicalQuery(text: string): string | undefined {
  try {
    return (
      text
        .split('&')
        // The signature of a presigned URL cannot cover itself.
        .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='))
        .map((pair) => splitOnce(pair, '=').map((part) => encode(decodeURIComponent(part))))
        .sort(
          ([keyA = '', valueA = ''], [keyB = '', valueB = '']) =>
            compare(keyA, keyB) || compare(valueA, valueB),
        )
        .map((pair) => pair.join('='))
        .join('&')
    );
  } catch {
    return undefined; // A lone `%` encodes nothing.
  }
}

function canonicalHeaders(request: HttpRequest, signedHeaders: readonly string[]): string | undefined {
  let text = '';
  for (const name of signedHeaders) {
    const value = request.headers[name];
    if (value === undefined) return undefined;
    const values = (Array.isArray(value) ? value : [value]).map((one) => one.trim().replaceAll(/\s+/g, ' '));
    text += `${name}:${values.join(',')}\n`;
  }
  return text;
}

/** The hash of the actual body. If the sender declared another hash, the signature does not match. */
function payloadHashOf(request: HttpRequest, service: string): string {
  const declared = header(request, 'x-amz-content-sha256');
  if (declared === 'UNSIGNED-PAYLOAD') return declared;
  // Chunks of a stream to S3 are signed one by one, or not at all. Their signatures are not checked here.
  if (service === 's3' && declared?.startsWith('STREAMING-')) return declared;
  return createHash('sha256').update(request.body).digest('hex');
}

/** Encodes all but the unreserved characters of RFC 3986. `encodeURIComponent` alone leaves `!'()*`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
