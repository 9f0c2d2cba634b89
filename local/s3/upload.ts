import { createHash } from 'node:crypto';
import type { Reply } from '../services/reply.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';

/** Why S3 refuses a request. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export interface Complaint {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Of a presigned request every `x-amz-*` header must be signed: the holder of a URL must not add one.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function unsignedHeader(request: HttpRequest): Complaint | undefined {
  const query = new URLSearchParams(request.url.split('?')[1]);
  const signed = query.get('X-Amz-SignedHeaders')?.split(';');
  if (signed === undefined) return undefined;
  const name = Object.keys(request.headers).find(
    (each) => each.startsWith('x-amz-') && each !== 'x-amz-content-sha256' && !signed.includes(each),
  );
  if (name === undefined) return undefined;
  const message = `There were headers present in the request which were not signed: ${name}`;
  return { status: 403, code: 'AccessDenied', message };
}

/**
 * Why an object is not stored: a body of unknown length, a wrong checksum, or `If-None-Match` for a key that is taken.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export async function uploadComplaint(
  request: HttpRequest,
  exists: () => Promise<boolean>,
): Promise<Complaint | undefined> {
  if (
    header(request, 'transfer-encoding') !== undefined &&
    header(request, 'x-amz-decoded-content-length') === undefined
  ) {
    const message = 'You must provide the Content-Length HTTP header.';
    return { status: 411, code: 'MissingContentLength', message };
  }
  const declared = header(request, checksumHeader);
  if (declared !== undefined && !isChecksum(declared)) {
    const message = `Value for ${checksumHeader} header is invalid.`;
    return { status: 400, code: 'InvalidRequest', message };
  }
  const isInChunks = header(request, 'content-encoding')?.includes('aws-chunked') ?? false;
  if (declared !== undefined && !isInChunks && declared !== sha256(request.body)) {
    const message = 'The SHA256 you specified did not match the calculated checksum.';
    return { status: 400, code: 'BadDigest', message };
  }
  const condition = header(request, 'if-none-match');
  if (condition !== undefined && condition !== '*') {
    const message = 'A header you provided implies functionality that is not implemented.';
    return { status: 501, code: 'NotImplemented', message };
  }
  if (condition === undefined || !(await exists())) return undefined;
  const message = 'At least one of the pre-conditions you specified did not hold';
  return { status: 412, code: 'PreconditionFailed', message };
}

/** The same request, for the engine: it keeps metadata, and knows nothing of checksums. */
export function storeChecksum(request: HttpRequest): HttpRequest {
  const { [keptHeader]: _, ...headers } = request.headers;
  const checksum = headers[checksumHeader];
  return { ...request, headers: checksum === undefined ? headers : { ...headers, [keptHeader]: checksum } };
}

/** The answer of the engine, with the checksum for whoever asks for it. A range has none. */
export function describeObject(request: HttpRequest, reply: Reply): Reply {
  const { [keptHeader]: checksum, ...headers } = reply.headers;
  const isAsked = header(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  if (checksum === undefined || !isAsked || reply.status !== 200) return { ...reply, headers };
  return {
    ...reply,
    headers: { ...headers, [checksumHeader]: checksum, 'x-amz-checksum-type': 'FULL_OBJECT' },
  };
}

const checksumHeader = 'x-amz-checksum-sha256';
const keptHeader = 'x-amz-meta-.checksum-sha256';

function isChecksum(text: string): boolean {
  return Buffer.from(text, 'base64').length === 32 && /^[A-Za-z0-9+/]{43}=$/.test(text);
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64');
}
