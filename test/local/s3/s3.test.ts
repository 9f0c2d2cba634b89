import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { allow, lambdaWithRole, writeAssembly } from '../harness/assembly.ts';
import { startPlatform } from '../harness/platform.ts';
import { runCloud } from '../harness/running-cloud.ts';

const page = 'https://app.example.com';
const upload = `const { PutObjectCommand, S3Client } = require('@aws-sdk/client-s3');
exports.handler = async (input) => {
  const client = new S3Client({ endpoint: 'https://s3.us-east-1.amazonaws.com', region: 'us-east-1' });
  return (await client.send(new PutObjectCommand({ ...input, Body: 'x' }))).$metadata.httpStatusCode;
};`;
const platform = await startPlatform(
  writeAssembly({
    Resources: {
      Pictures: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          CorsConfiguration: {
            CorsRules: [
              {
                AllowedOrigins: ['https://*.example.com'],
                AllowedMethods: ['GET', 'PUT'],
                AllowedHeaders: ['content-*'],
                ExposedHeaders: ['etag'],
                MaxAge: 600,
              },
            ],
          },
        },
      },
      Named: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'named' } },
      Policy: { Type: 'AWS::S3::BucketPolicy', Properties: { Bucket: { Ref: 'Named' } } },
      ...lambdaWithRole('Uploader', upload, {
        statements: [allow('s3:PutObject', { 'Fn::Sub': '${Pictures.Arn}/in/*' })],
      }),
      ...lambdaWithRole('Reader', upload, {
        statements: [allow('s3:GetObject', { 'Fn::Sub': '${Pictures.Arn}/*' })],
      }),
    },
  }),
);
const client = new S3Client(platform.client);
const Bucket = platform.deployment.physicalId('Pictures');
const put = (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
const read = async (Key: string, options: object = {}) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...options }));
  return Body?.transformToString();
};
const gone = { name: 'NoSuchKey' };

it('an object is put, read in ranges, described, copied and deleted', async () => {
  const Key = 'in/a cat+dog é//b.txt';
  const Metadata = { by: '42' };
  const input = { Bucket, Key, Body: 'hello world', ContentType: 'text/plain', Metadata };
  await client.send(new PutObjectCommand(input));
  expect(await read(Key)).toBe('hello world');
  expect(await read(Key, { Range: 'bytes=0-4' })).toBe('hello');
  expect(await client.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({
    ContentLength: 11,
    ContentType: 'text/plain',
    Metadata,
  });
  const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
  await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
  expect(await read('copy')).toBe('hello world');
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
  await expect(read(Key)).rejects.toMatchObject(gone);
});

it('a stream of unknown hash is stored as it is', async () => {
  const Body = Readable.from([Buffer.from('in '), Buffer.from('chunks')]);
  await client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: 9 }));
  expect(await read('stream')).toBe('in chunks');
});

it('objects are listed by prefix and folder, in pages, and deleted together', async () => {
  for (const key of ['list/a', 'list/b', 'list/sub/c']) await put(key, key);
  const list = (options: object) =>
    client.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', ...options }));
  const folder = await list({ Delimiter: '/' });
  expect(folder.Contents?.map(({ Key }) => Key)).toEqual(['list/a', 'list/b']);
  expect(folder.CommonPrefixes).toEqual([{ Prefix: 'list/sub/' }]);
  const first = await list({ MaxKeys: 2 });
  const rest = await list({ MaxKeys: 2, ContinuationToken: first.NextContinuationToken });
  expect([first.IsTruncated, rest.Contents?.map(({ Key }) => Key)]).toEqual([true, ['list/sub/c']]);

  const Objects = [{ Key: 'list/a' }, { Key: 'list/sub/c' }];
  await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect((await list({})).Contents?.map(({ Key }) => Key)).toEqual(['list/b']);
});

it('a function may call the host of the bucket, as on AWS', async () => {
  const invoke = new InvokeCommand({
    FunctionName: platform.deployment.physicalId('Uploader'),
    Payload: JSON.stringify({ Bucket, Key: 'in/by host' }),
  });
  const { Payload } = await new LambdaClient(platform.client).send(invoke);
  expect(Payload?.transformToString()).toBe('200');
  expect(await read('in/by host')).toBe('x');
});

it('a presigned URL works until it expires, for its method and key alone', async () => {
  const upload = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'signed' }), {
    expiresIn: 60,
  });
  expect((await fetch(upload, { method: 'PUT', body: 'by a browser' })).status).toBe(200);
  const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 });
  expect(await (await fetch(url)).text()).toBe('by a browser');

  const status = async (of: string, init: RequestInit = {}) => {
    const response = await fetch(of, init);
    return [response.status, /<Code>(\w+)</.exec(await response.text())?.[1]];
  };
  expect(await status(url.replace('signed', 'other'))).toEqual([403, 'SignatureDoesNotMatch']);
  expect(await status(url, { method: 'DELETE' })).toEqual([403, 'SignatureDoesNotMatch']);
  expect(await status(url.split('?')[0] ?? '')).toEqual([403, 'AccessDenied']);
  const old = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'signed' }), {
    expiresIn: 60,
    signingDate: new Date(Date.now() - 61_000),
  });
  expect(await status(old)).toEqual([403, 'AccessDenied']);
});

it('a page of an allowed origin may read answers and send what the rule allows', async () => {
  const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'page' }));
  const preflight = (origin: string, method: string, name = 'content-type') =>
    fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': name,
      },
    });
  const allowed = await preflight(page, 'PUT');
  expect(allowed.status).toBe(200);
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    'access-control-allow-origin': page,
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': '600',
  });
  expect((await preflight('https://example.org', 'PUT')).status).toBe(403);
  expect((await preflight(page, 'DELETE')).status).toBe(403);
  expect((await preflight(page, 'PUT', 'x-other')).status).toBe(403);
  const put = await fetch(url, { method: 'PUT', body: 'x', headers: { origin: page } });
  expect(put.headers.get('access-control-expose-headers')).toBe('etag');
});

it('a call needs a grant on the object or the bucket, and is counted', async () => {
  const uploader = new S3Client(platform.clientOf('Uploader'));
  await uploader.send(new PutObjectCommand({ Bucket, Key: 'in/1', Body: 'x' }));
  const denied = { name: 'AccessDenied', message: expect.stringContaining('s3:') as string };
  await expect(
    uploader.send(new PutObjectCommand({ Bucket, Key: 'out/1', Body: 'x' })),
  ).rejects.toMatchObject(denied);
  await expect(uploader.send(new GetObjectCommand({ Bucket, Key: 'in/1' }))).rejects.toMatchObject(denied);
  await expect(uploader.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(denied);
  const CopySource = `${Bucket}/in/1`;
  await expect(
    uploader.send(new CopyObjectCommand({ Bucket, Key: 'in/2', CopySource })),
  ).rejects.toMatchObject({
    name: 'AccessDenied',
    message: expect.stringContaining('s3:GetObject') as string,
  });
  expect(platform.meter.snapshot()['s3.PutObject']).toBeGreaterThan(0);
});

it('a missing key is denied to who may not list the bucket', async () => {
  const reader = new S3Client(platform.clientOf('Reader'));
  const object = { Bucket, Key: 'missing' };
  const denied = { $metadata: { httpStatusCode: 403 } };
  await expect(reader.send(new HeadObjectCommand(object))).rejects.toMatchObject(denied);
  await expect(reader.send(new GetObjectCommand(object))).rejects.toMatchObject({
    ...denied,
    name: 'AccessDenied',
  });
  await expect(client.send(new GetObjectCommand(object))).rejects.toMatchObject(gone);
});

it('an unknown bucket is missing, and an operation that does not run here says so', async () => {
  await client.send(new HeadBucketCommand({ Bucket: 'named' }));
  await expect(client.send(new GetObjectCommand({ Bucket: 'none', Key: 'a' }))).rejects.toMatchObject({
    name: 'NoSuchBucket',
  });
  await expect(client.send(new GetObjectTaggingCommand({ Bucket, Key: 'a' }))).rejects.toMatchObject({
    name: 'NotImplemented',
  });
});

it('the answer to HEAD gives the length of the object, through the server of the cloud', async () => {
  const cloud = await runCloud({ Named: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'named' } } });
  const s3 = new S3Client({ ...platform.client, endpoint: cloud.url });
  const object = { Bucket: 'named', Key: 'a' };
  await s3.send(new PutObjectCommand({ ...object, Body: 'hello' }));
  expect((await s3.send(new HeadObjectCommand(object))).ContentLength).toBe(5);
});

describe('a presigned upload with signed headers', () => {
  const body = 'the bytes';
  const checksum = (text: string) => createHash('sha256').update(text).digest('base64');
  const metadata = 'x-amz-meta-by';
  const headers = {
    'content-type': 'image/png',
    'x-amz-checksum-sha256': checksum(body),
    'if-none-match': '*',
    [metadata]: '42',
  };
  const presign = (Key: string) =>
    getSignedUrl(
      client,
      new PutObjectCommand({
        Bucket,
        Key,
        ContentType: 'image/png',
        ContentLength: body.length,
        ChecksumSHA256: checksum(body),
        IfNoneMatch: '*',
        Metadata: { by: '42' },
      }),
      {
        expiresIn: 60,
        signableHeaders: new Set(['content-type']),
        unhoistableHeaders: new Set(['x-amz-checksum-sha256', metadata]),
      },
    );
  const put = async (url: string, init: RequestInit = {}) => {
    const response = await fetch(url, { method: 'PUT', headers, body, ...init });
    return [response.status, /<Code>(\w+)</.exec(await response.text())?.[1]];
  };

  it('stores the object once, with its checksum and metadata', async () => {
    const url = await presign('checked');
    expect(await put(url)).toEqual([200, undefined]);
    const object = { Bucket, Key: 'checked' };
    expect(await client.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }))).toMatchObject({
      ChecksumSHA256: checksum(body),
      ContentType: 'image/png',
      Metadata: { by: '42' },
    });
    const { ChecksumSHA256, Metadata } = await client.send(new HeadObjectCommand(object));
    expect([ChecksumSHA256, Metadata]).toEqual([undefined, { by: '42' }]);
    expect(await read('checked', { Range: 'bytes=4-' })).toBe('bytes');
    expect(await put(url)).toEqual([412, 'PreconditionFailed']);
  });

  it.each<[string, RequestInit, number, string]>([
    ['another body of the same length', { body: 'THE BYTES' }, 400, 'BadDigest'],
    ['a body that is longer', { body: 'the bytes and more' }, 403, 'SignatureDoesNotMatch'],
    ['another type', { headers: { ...headers, 'content-type': 'text/html' } }, 403, 'SignatureDoesNotMatch'],
    [
      'another checksum',
      { headers: { ...headers, 'x-amz-checksum-sha256': checksum('THE BYTES') } },
      403,
      'SignatureDoesNotMatch',
    ],
    ['no checksum', { headers: { 'content-type': 'image/png' } }, 403, 'SignatureDoesNotMatch'],
    [
      'a header that is not signed',
      { headers: { ...headers, 'x-amz-acl': 'public-read' } },
      403,
      'AccessDenied',
    ],
  ])('refuses %s', async (name, init, status, code) => {
    expect(await put(await presign(name), init)).toEqual([status, code]);
    await expect(read(name)).rejects.toMatchObject(gone);
  });
});

it('an upload with a checksum that is none is refused', async () => {
  const upload = client.send(
    new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', ChecksumSHA256: 'no hash' }),
  );
  await expect(upload).rejects.toMatchObject({ name: 'InvalidRequest' });
});
