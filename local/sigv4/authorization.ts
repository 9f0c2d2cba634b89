import { header, type HttpRequest, splitOnce } from './request.ts';

/** The parsed `Authorization` header of Signature Version 4. */
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
  /** Of temporary credentials. */
  readonly securityToken: string;
  /** A presigned URL says how long it may be used. */
  readonly expiresSeconds?: number;
}

type Reading =
  | { readonly ok: true; readonly authorization: Authorization }
  | { readonly ok: false; readonly reason: 'missing' | 'malformed'; readonly message: string };

export function readAuthorization(request: HttpRequest): Reading {
  const value = header(request, 'authorization');
  if (value === undefined && request.url.includes('X-Amz-Signature=')) return readPresigned(request);
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
  return readFields({
    credential,
    signedHeaders,
    signature,
    timestamp: header(request, 'x-amz-date') ?? '',
    securityToken: header(request, 'x-amz-security-token') ?? '',
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
function readPresigned(request: HttpRequest): Reading {
  const query = new URLSearchParams(splitOnce(request.url, '?')[1]);
  const expiresSeconds = Number(query.get('X-Amz-Expires'));
  if (!(expiresSeconds > 0 && expiresSeconds <= 604_800)) {
    return malformed('X-Amz-Expires must be a number of seconds from 1 to 604800.');
  }
  return readFields({
    credential: query.get('X-Amz-Credential') ?? '',
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    timestamp: query.get('X-Amz-Date') ?? '',
    securityToken: query.get('X-Amz-Security-Token') ?? '',
    expiresSeconds,
  });
}

function readFields({
  credential,
  ...fields
}: {
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly securityToken: string;
  readonly expiresSeconds?: number;
}): Reading {
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || rest.length > 0) {
    return malformed(
      'Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/aws4_request.',
    );
  }
  if (!fields.signedHeaders.includes('host')) {
    return malformed("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  }
  const signedAt = readTimestamp(fields.timestamp);
  if (signedAt === undefined)
    return malformed("Authorization header requires an 'X-Amz-Date' header in ISO-8601 basic format.");
  return { ok: true, authorization: { accessKeyId, date, region, service, signedAt, ...fields } };
}

/** The service that a request is signed for, unverified; `undefined` without a signature. */
export function signedService(request: HttpRequest): string | undefined {
  const signed = /^AWS4-\S+\s+(.*)$/.exec(header(request, 'authorization') ?? '')?.[1] ?? '';
  const credential =
    /\bCredential=([^,\s]+)/.exec(signed)?.[1] ?? /[?&]X-Amz-Credential=([^&]+)/.exec(request.url)?.[1];
  return credential?.replaceAll(/%2F/gi, '/').split('/')[3];
}

/** The complaint about a wrong Region, service or date of a signature. */
export function scopeComplaint(
  { date, timestamp, ...authorization }: Authorization,
  service: string,
  region: string,
): string | undefined {
  if (authorization.region !== region)
    return `Credential should be scoped to a valid region, not '${authorization.region}'.`;
  if (authorization.service !== service)
    return `Credential should be scoped to correct service: '${service}'.`;
  if (date !== timestamp.slice(0, 8))
    return 'Date in Credential scope does not match the date of the request.';
  return undefined;
}

/** A request may be signed five minutes ago, or five minutes ahead. */
const maxSkewMs = 5 * 60 * 1000;

/** The complaint about a wrong time of a signature. */
export function skewComplaint({ signedAt, expiresSeconds }: Authorization, now: Date): string | undefined {
  const skewMs = now.getTime() - signedAt.getTime();
  if (expiresSeconds !== undefined && skewMs > expiresSeconds * 1000) return 'Request has expired';
  if (expiresSeconds === undefined && skewMs > maxSkewMs) {
    return `Signature expired: ${basicFormat(signedAt)} is now earlier than ${basicFormat(new Date(now.getTime() - maxSkewMs))} (${basicFormat(now)} - 5 min.)`;
  }
  if (skewMs < -maxSkewMs) {
    return `Signature not yet current: ${basicFormat(signedAt)} is still later than ${basicFormat(new Date(now.getTime() + maxSkewMs))} (${basicFormat(now)} + 5 min.)`;
  }
  return undefined;
}

/** ISO 8601 basic format: `20260101T000000Z`. */
function basicFormat(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

function readTimestamp(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const epochMs = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`,
  );
  return Number.isNaN(epochMs) ? undefined : new Date(epochMs);
}

function malformed(message: string): Reading {
  return { ok: false, reason: 'malformed', message };
}
