import { createHash, randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxInlineBytes, maxPictureBytes } from '../../../examples/pictures/limits.ts';
import { picturesInBucket, type Upload } from '../../../examples/pictures/store.ts';
import type { Client } from '../client.ts';
import { signToken, type Stack, startStack } from '../stack.ts';

let stack: Stack;
let ada: Client;
let ben: Client;
beforeAll(async () => {
  stack = await startStack();
  [ada, ben] = await Promise.all([stack.connect({ user: 'ada' }), stack.connect({ user: 'ben' })]);
});
afterAll(() => stack.close());

const described = { to: 'user:member:ben', contentType: 'image/png', width: 640, height: 480 };

/** Bytes that begin as a PNG does. */
function png(bytes: number): Buffer {
  const picture = Buffer.alloc(bytes, 'x');
  picture.write('\x89PNG\r\n\x1a\n', 'latin1');
  return picture;
}

async function ask(client: Client, type: string, content: unknown) {
  const id = randomUUID();
  client.send({ type, id, content });
  for (;;) {
    const frame = await client.next();
    if (frame['id'] === id) return frame as { type: string; content: Record<string, unknown> };
  }
}

async function prepare(body: Buffer, changes: object = {}) {
  const sha256 = createHash('sha256').update(body).digest('base64');
  const content = { ...described, bytes: body.length, sha256, name: 'Grüße.png', ...changes };
  const answer = await ask(ada, 'picture-upload', content);
  expect(answer.type).toBe('ack');
  return answer.content as { key: string; upload: Upload };
}

async function put({ url, method, headers }: Upload, body: Buffer, changes: Record<string, string> = {}) {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...changes },
    body: new Uint8Array(body),
  });
  return [response.status, /<Code>(\w+)</.exec(await response.text())?.[1]];
}

async function nextPicture(client: Client) {
  for (;;) {
    const frame = await client.next();
    if (frame['type'] === 'picture') return frame as { content: Record<string, unknown> };
  }
}

describe('a picture in the frame', () => {
  it('of 96,000 bytes arrives by POST /messages as it was sent', async () => {
    const token = await signToken({
      user: 'ada',
      type: 'member',
      tenant: 'default',
      topics: [],
      ttlSeconds: 600,
    });
    const post = async (bytes: number) => {
      const content = { ...described, data: png(bytes).toString('base64') };
      const response = await fetch(`${stack.url}/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ type: 'picture-send', content }),
      });
      return { status: response.status, body: await response.json() };
    };
    expect(await post(maxInlineBytes)).toMatchObject({ status: 200, body: { content: { delivered: 1 } } });
    const { data } = (await nextPicture(ben)).content;
    expect(Buffer.from(String(data), 'base64').equals(png(maxInlineBytes))).toBe(true);
    expect(await post(maxInlineBytes + 1)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_content', details: [{ field: 'content.data' }] } },
    });
  });
});

describe('an uploaded picture', () => {
  it('of 10 MB arrives by a link, which other users cannot get', async () => {
    const body = png(maxPictureBytes);
    const { key, upload } = await prepare(body);
    expect(await put(upload, body)).toEqual([200, undefined]);
    expect((await ask(ada, 'picture-send', { key })).type).toBe('ack');
    const { content } = await nextPicture(ben);
    const { to: _, ...shown } = described;
    expect(content).toEqual({ key, ...shown, bytes: maxPictureBytes, name: 'Grüße.png' });

    const { content: link } = await ask(ben, 'picture-link', { key });
    const response = await fetch(String(link['url']));
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);

    const others = [{ user: 'cyd' }, { user: 'ben', tenant: 'other' }, { user: 'ben', type: 'agent' }];
    for (const user of others) {
      const other = await stack.connect(user);
      for (const type of ['picture-link', 'picture-send'])
        expect(await ask(other, type, { key })).toMatchObject({
          type: 'error',
          content: { code: 'not_found' },
        });
    }
    expect(await ask(ben, 'picture-send', { key })).toMatchObject({ content: { code: 'not_found' } });
  });

  it('may not have one byte more', async () => {
    const content = { ...described, bytes: maxPictureBytes + 1, sha256: `${'A'.repeat(43)}=` };
    expect(await ask(ada, 'picture-upload', content)).toMatchObject({
      type: 'error',
      content: {
        code: 'bad_content',
        message: expect.stringMatching(/^content.bytes:.*10485760/) as unknown,
      },
    });
  });

  it('goes to a topic, and only who may read the topic gets a link', async () => {
    const [eve, fay] = await Promise.all(
      ['eve', 'fay'].map((user) => stack.connect({ user, topics: ['photos.*'] })),
    );
    if (!eve || !fay) throw new Error('Two clients are connected.');
    await ask(fay, 'subscribe', { topic: 'photos.eu' });
    const body = png(200_000);
    const sha256 = createHash('sha256').update(body).digest('base64');
    const prepared = await ask(eve, 'picture-upload', {
      ...described,
      to: 'topic:photos.eu',
      bytes: body.length,
      sha256,
    });
    const { key, upload } = prepared.content as { key: string; upload: Upload };
    expect(await put(upload, body)).toEqual([200, undefined]);
    await ask(eve, 'picture-send', { key });
    expect((await nextPicture(fay)).content).toMatchObject({ key });
    expect(await ask(fay, 'picture-link', { key })).toMatchObject({ type: 'ack' });
    expect(await ask(ben, 'picture-link', { key })).toMatchObject({ content: { code: 'not_found' } });
  });

  it('cannot be replaced by a second use of its URL', async () => {
    const body = png(120_000);
    const { upload } = await prepare(body);
    expect(await put(upload, body)).toEqual([200, undefined]);
    expect(await put(upload, body)).toEqual([412, 'PreconditionFailed']);
  });

  it('is refused by S3 with other bytes, another length, type, key or audience', async () => {
    const body = png(120_000);
    const { key, upload } = await prepare(body);
    const other = Buffer.from(body).fill('y', 100);
    expect(await put(upload, other)).toEqual([400, 'BadDigest']);
    const wrong = [403, 'SignatureDoesNotMatch'];
    expect(await put(upload, png(120_001))).toEqual(wrong);
    expect(await put(upload, body, { 'content-type': 'text/html' })).toEqual(wrong);
    expect(await put(upload, body, { 'x-amz-meta-to': 'user:member:cyd' })).toEqual(wrong);
    const url = upload.url.replace('/member/ada/', '/member/ben/');
    expect(await put({ ...upload, url }, body)).toEqual(wrong);
    expect(await ask(ada, 'picture-send', { key })).toMatchObject({ content: { code: 'not_found' } });
  });

  it('is refused if its bytes are not of its type', async () => {
    const body = Buffer.alloc(120_000, '<script>');
    const { key, upload } = await prepare(body);
    expect(await put(upload, body)).toEqual([200, undefined]);
    expect(await ask(ada, 'picture-send', { key })).toMatchObject({
      content: { code: 'bad_content', message: 'content.key: must be a picture of the type image/png' },
    });
  });

  it('has links and uploads that end after five minutes', async () => {
    const body = png(120_000);
    const { key, upload } = await prepare(body);
    await put(upload, body);
    const { deployment } = stack.cloud;
    const [bucket] = deployment.ofType('AWS::S3::Bucket');
    const storeAt = (now: number) =>
      picturesInBucket({
        bucket: deployment.physicalId(bucket?.logicalId ?? ''),
        now: () => now,
        client: new S3Client({
          endpoint: stack.url,
          region: 'us-east-1',
          credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        }),
      });
    const status = async (age: number) =>
      (await fetch((await storeAt(Date.now() - age).link(key)).url)).status;
    expect([await status(200_000), await status(301_000)]).toEqual([200, 403]);
    const sha256 = createHash('sha256').update(body).digest('base64');
    const picture = { ...described, contentType: 'image/png' as const, bytes: body.length, sha256 };
    const late = await storeAt(Date.now() - 301_000).prepareUpload(`${key}-late`, picture);
    expect(await put(late, body)).toEqual([403, 'AccessDenied']);
  });
});

it('the listeners need each of their grants on S3, and are denied nothing', () => {
  const ofS3 = stack.cloud.grants().filter(({ action }) => action.startsWith('s3:'));
  expect(ofS3.map(({ action, calls }) => [action, calls > 0]).sort()).toEqual([
    ['s3:GetObject', true],
    ['s3:PutObject', true],
  ]);
  expect(stack.cloud.deniedCalls()).toEqual([]);
});
