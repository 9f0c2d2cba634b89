import { createHash } from 'node:crypto';
import type { HttpRequest } from './sigv4.ts';

/** The `Authorization` header of Signature Version 4, taken apart. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** As sent: `20260101T000000Z`. */
  readonly timestamp: string;
  readonly signedAt: Date;
}

type Reading =
  | { readonly ok: true; readonly authorization: Authorization }
  | { readonly ok: false; readonly reason: 'missing' | 'malformed'; readonly message: string };

export function readAuthorization(request: HttpRequest): Reading {
  const value = header(request, 'authorization');
  if (value === undefined || !value.startsWith('AWS4-')) {
    return { ok: false, reason: 'missing', message: 'Missing Authentication Token' };
  }
  const [, algorithm, list = ''] = /^(\S+)\s+(.*)$/.exec(value) ?? [];
  if (algorithm !== 'AWS4-HMAC-SHA256') {
    return malformed(`Unsupported AWS 'algorithm': '${algorithm ?? value}'.`);
  }
  const fields = new Map(list.split(',').map((field) => splitOnce(field.trim(), '=')));
  const credential = fields.get('Credential');
  const signedHeaders = fields.get('SignedHeaders')?.split(';');
  const signature = fields.get('Signature');
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    return malformed(
      "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
    );
  }
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || rest.length > 0) {
    return malformed(
      'Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/aws4_request.',
    );
  }
  if (!signedHeaders.includes('host')) {
    return malformed("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const timestamp = header(request, 'x-amz-date') ?? '';
  const signedAt = readTimestamp(timestamp);
  if (signedAt === undefined)
    return malformed("Authorization header requires an 'X-Amz-Date' header in ISO-8601 basic format.");
  return {
    ok: true,
    authorization: { accessKeyId, date, region, service, signedHeaders, signature, timestamp, signedAt },
  };
}

/** A header's one value. Repeated headers are joined by a comma, as canonical headers are. */
export function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/**
 * The canonical form of a request to any service but S3; `undefined` where the address or a signed header is
 * not valid. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(request: HttpRequest, signedHeaders: readonly string[]): string | undefined {
  const [path, queryText] = splitOnce(request.url, '?');
  const query = canonicalQuery(queryText);
  const headers = canonicalHeaders(request, signedHeaders);
  if (query === undefined || headers === undefined) return undefined;
  const payloadHash = payloadHashOf(request);
  return [request.method, canonicalPath(path), query, headers, signedHeaders.join(';'), payloadHash].join(
    '\n',
  );
}

/**
 * Every service but S3 encodes the path a second time: `%3D` on the wire becomes `%253D`. Empty and dot segments
 * are normalised away.
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
    return text
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => splitOnce(pair, '=').map((part) => encode(decodeURIComponent(part))))
      .sort(
        ([keyA = '', valueA = ''], [keyB = '', valueB = '']) =>
          compare(keyA, keyB) || compare(valueA, valueB),
      )
      .map((pair) => pair.join('='))
      .join('&');
  } catch {
    // A percent sign that encodes nothing.
    return undefined;
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

/** The body's own hash, whatever the sender declares: a false declaration then fails as a false signature. */
function payloadHashOf(request: HttpRequest): string {
  if (header(request, 'x-amz-content-sha256') === 'UNSIGNED-PAYLOAD') return 'UNSIGNED-PAYLOAD';
  return createHash('sha256').update(request.body).digest('hex');
}

function readTimestamp(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const epochMs = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`,
  );
  return Number.isNaN(epochMs) ? undefined : new Date(epochMs);
}

/** RFC 3986: all but the unreserved characters, where `encodeURIComponent` leaves `!'()*`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function malformed(message: string): Reading {
  return { ok: false, reason: 'malformed', message };
}
