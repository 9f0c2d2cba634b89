import { queryOf } from '../gateway/request.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';

/** One call of S3, with the grants that it needs. */
export interface S3Operation {
  readonly name: string;
  readonly bucket: string;
  readonly grants: readonly { readonly action: string; readonly resource: string }[];
}

/**
 * The operation of a request; `undefined` if it does not run here.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export function readOperation(request: HttpRequest): S3Operation | undefined {
  const { bucket, key } = placeOf(request);
  const query = new URLSearchParams(queryOf(request.url));
  if ([...query.keys()].some((name) => !knownQuery.test(name))) return undefined;
  const onBucket = (name: string, action: string): S3Operation => ({
    name,
    bucket,
    grants: [{ action, resource: bucket === '' ? '*' : `arn:aws:s3:::${bucket}` }],
  });
  const onKeys = (name: string, action: string, keys: readonly string[]): S3Operation => ({
    name,
    bucket,
    grants: keys.map((each) => ({ action, resource: `arn:aws:s3:::${bucket}/${each}` })),
  });
  const { method } = request;
  if (bucket === '') return method === 'GET' ? onBucket('ListBuckets', 's3:ListAllMyBuckets') : undefined;
  if (key === '') {
    if (method === 'POST' && query.has('delete')) {
      return onKeys('DeleteObjects', 's3:DeleteObject', keysToDelete(request.body));
    }
    if (method === 'HEAD') return onBucket('HeadBucket', 's3:ListBucket');
    if (method !== 'GET') return undefined;
    return onBucket(query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects', 's3:ListBucket');
  }
  if (method === 'POST' && query.has('uploads'))
    return onKeys('CreateMultipartUpload', 's3:PutObject', [key]);
  if (query.has('uploadId')) {
    if (method === 'PUT') return onKeys('UploadPart', 's3:PutObject', [key]);
    if (method === 'POST') return onKeys('CompleteMultipartUpload', 's3:PutObject', [key]);
    return method === 'DELETE' ? onKeys('AbortMultipartUpload', 's3:AbortMultipartUpload', [key]) : undefined;
  }
  const source = header(request, 'x-amz-copy-source');
  if (method === 'PUT' && source !== undefined) {
    const from = `arn:aws:s3:::${decode(source)
      .replace(/^\//, '')
      .replace(/\?versionId=.*$/, '')}`;
    const copy = onKeys('CopyObject', 's3:PutObject', [key]);
    return { ...copy, grants: [...copy.grants, { action: 's3:GetObject', resource: from }] };
  }
  switch (method) {
    case 'GET':
      return onKeys('GetObject', 's3:GetObject', [key]);
    case 'HEAD':
      return onKeys('HeadObject', 's3:GetObject', [key]);
    case 'PUT':
      return onKeys('PutObject', 's3:PutObject', [key]);
    case 'DELETE':
      return onKeys('DeleteObject', 's3:DeleteObject', [key]);
    default:
      return undefined;
  }
}

/** Bucket and key of an address in path style. */
export function placeOf(request: HttpRequest): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', ...key] = (pathStyleUrl(request).split('?')[0] ?? '').split('/');
  return { bucket: decode(bucket), key: decode(key.join('/')) };
}

/** `/{bucket}/{key}`, also for a request whose host names the bucket, as SDKs call AWS by default. */
export function pathStyleUrl(request: HttpRequest): string {
  const bucket = /^(.+)\.s3(?:\.[a-z0-9-]+)*\.amazonaws\.com$/.exec(header(request, 'host') ?? '')?.[1];
  return bucket === undefined ? request.url : `/${bucket}${request.url}`;
}

/** A parameter such as `acl` or `tagging` makes another operation of a request. Those do not run here. */
const knownQuery =
  /^(?:list-type|prefix|delimiter|max-keys|start-after|continuation-token|encoding-type|fetch-owner|marker|uploads|uploadId|partNumber|delete|x-id|x-amz-.*)$/i;

function keysToDelete(body: Buffer): readonly string[] {
  return [...body.toString('utf8').matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) =>
    key.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? ''),
  );
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone `%` encodes nothing. The check of the signature refuses it.
  }
}
