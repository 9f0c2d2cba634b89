import { createHash, createHmac } from 'node:crypto';

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface RequestToSign {
  readonly method: string;
  readonly host: string;
  /** The path as it is sent, percent-encoded once. */
  readonly path: string;
  readonly contentType?: string | undefined;
  /** SHA-256 of the body, lower-case hex. */
  readonly payloadHash: string;
}

/** The values of the headers that sign a request. */
export interface Signature {
  readonly authorization: string;
  readonly date: string;
  readonly sessionToken: string | undefined;
}

export type Signer = (request: RequestToSign, credentials: SigningCredentials, epochMs: number) => Signature;

/**
 * AWS Signature Version 4 (IAM User Guide, "Create a signed AWS API request"), for one Region and service.
 * A signing key is valid for a day, so it is derived once for each day and credential. The SDK computes an HMAC for
 * each request to look up its cached key, which costs several times as much as the signature.
 */
export function createSigner({ region, service }: { region: string; service: string }): Signer {
  const signingKey = cacheLast((day: string, secretAccessKey: string) =>
    [region, service, 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secretAccessKey}`, day)),
  );
  const dateOf = cacheLast(basicIsoDate);

  return (request, credentials, epochMs) => {
    const date = dateOf(Math.floor(epochMs / 1000));
    const day = date.slice(0, 8);
    const scope = `${day}/${region}/${service}/aws4_request`;
    const { signedHeaders, canonicalHeaders } = headersToSign(request, date, credentials.sessionToken);
    const canonicalRequest = `${request.method}\n${canonicalPath(request.path)}\n\n${canonicalHeaders}\n${signedHeaders}\n${request.payloadHash}`;
    const stringToSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256Hex(canonicalRequest)}`;
    const signature = createHmac('sha256', signingKey(day, credentials.secretAccessKey))
      .update(stringToSign)
      .digest('hex');
    return {
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
      date,
      sessionToken: credentials.sessionToken,
    };
  };
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 asks. The SDK encodes path labels alike. */
export function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, percentEncode);
}

/** SigV4 signs the path encoded a second time, without empty and dot segments (every service but S3). */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encodeSegment(segment));
  }
  const isFolder = segments.length > 0 && path.endsWith('/');
  return `/${segments.join('/')}${isFolder ? '/' : ''}`;
}

/** SigV4 signs `host`, `content-type` and every `x-amz-` header that is present, in alphabetical order. */
function headersToSign({ host, contentType }: RequestToSign, date: string, sessionToken: string | undefined) {
  const typed = contentType === undefined ? '' : `content-type:${contentType}\n`;
  const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`;
  return {
    canonicalHeaders: `${typed}host:${host}\nx-amz-date:${date}\n${token}`,
    signedHeaders: `${typed && 'content-type;'}host;x-amz-date${token && ';x-amz-security-token'}`,
  };
}

/** `20261120T101500Z` */
function basicIsoDate(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Remembers the last result only: a process signs with one credential at a time, for the current second. */
function cacheLast<Key extends (string | number)[], Result>(
  compute: (...key: Key) => Result,
): (...key: Key) => Result {
  let last: { key: Key; result: Result } | undefined;
  return (...key) => {
    if (!last?.key.every((part, at) => part === key[at])) last = { key, result: compute(...key) };
    return last.result;
  };
}
