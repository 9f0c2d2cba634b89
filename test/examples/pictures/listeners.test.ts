import { describe, expect, it } from 'vitest';
import { type CallOptions, callListener } from 'switchboard/testing';
import { createListeners } from '../../../examples/pictures/create-listeners.ts';
import { maxInlineBytes, maxPictureBytes } from '../../../examples/pictures/limits.ts';
import { picturesInMemory, pngStart } from './memory-store.ts';

const { store, arrive } = picturesInMemory();
let count = 0;
const listeners = createListeners({ store, newId: () => String((count += 1)) });
const call = (type: string, content: unknown, options: CallOptions = {}) =>
  callListener(listeners, { type, content }, options);

const ada = { from: { userId: 'ada' } };
const ben = { from: { userId: 'ben' } };
const described = { to: 'user:member:ben', contentType: 'image/png', width: 640, height: 480 };
const large = { ...described, bytes: 200_000, sha256: `${'A'.repeat(43)}=`, name: 'Grüße.png' };
const png = (bytes: number) => Buffer.concat([pngStart, Buffer.alloc(bytes)], bytes).toString('base64');

async function upload(options: CallOptions = ada, content: object = large): Promise<string> {
  const { ack, error } = await call('picture-upload', content, options);
  expect(error).toBeUndefined();
  return (ack as { key: string }).key;
}

describe('picture-upload', () => {
  it('gives a key in the folder of the sender', async () => {
    expect(await upload({ from: { tenant: 't', userType: 'agent', userId: 'eve' } })).toMatch(
      /^pictures\/t\/agent\/eve\/\d+$/,
    );
  });

  it('takes 10 MB, and no byte more', async () => {
    await upload(ada, { ...large, bytes: maxPictureBytes });
    const { error } = await call('picture-upload', { ...large, bytes: maxPictureBytes + 1 }, ada);
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: 'content.bytes' }] });
    expect(error?.message).toContain(String(maxPictureBytes));
  });

  it.each([
    ['contentType', 'image/svg+xml'],
    ['contentType', 'text/html'],
    ['bytes', 0],
    ['sha256', 'ab'],
    ['width', 0],
    ['height', 20_001],
    ['height', 1.5],
    ['name', 'a\nb'],
    ['to', 'everyone'],
    ['to', 'type:member'],
    ['to', 'ben'],
  ])('refuses the %s %j, and names the field', async (field, value) => {
    const { error } = await call('picture-upload', { ...large, [field]: value }, ada);
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: `content.${field}` }] });
  });

  it('needs the right to the topic', async () => {
    const content = { ...large, to: 'topic:photos.eu' };
    expect((await call('picture-upload', content, ada)).error).toMatchObject({ code: 'forbidden' });
    await upload({ ...ada, topics: ['photos.*'] }, content);
  });
});

describe('picture-send', () => {
  it('sends a picture of 96,000 bytes in the frame, and refuses one more', async () => {
    const { sent } = await call(
      'picture-send',
      { ...described, data: png(maxInlineBytes) },
      { ...ada, session: false },
    );
    const { to, ...shown } = described;
    expect(sent).toMatchObject([{ to: [to], type: 'picture', content: shown, durable: true }]);
    const { error } = await call(
      'picture-send',
      { ...described, data: png(maxInlineBytes + 1) },
      { ...ada, session: false },
    );
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: 'content.data' }] });
  });

  it.each([
    ['data', Buffer.from('<script>').toString('base64')],
    ['data', 'no base64!'],
    ['to', 'everyone'],
  ])('refuses %s %j in the frame', async (field, value) => {
    const { error, sent } = await call('picture-send', { ...described, data: png(100), [field]: value }, ada);
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: `content.${field}` }] });
    expect(sent).toEqual([]);
  });

  it('sends an upload with what it was signed with, and with a preview', async () => {
    const key = await upload();
    arrive(key);
    const preview = `data:image/png;base64,${png(100)}`;
    const { sent } = await call('picture-send', { key, preview, to: 'everyone', width: 1 }, ada);
    const { to, sha256: _, ...shown } = large;
    expect(sent).toMatchObject([{ to: [to], content: { key, ...shown, preview } }]);
  });

  it('refuses an upload that did not happen, has another type, or has no checksum', async () => {
    const key = await upload();
    expect((await call('picture-send', { key }, ada)).error).toMatchObject({ code: 'not_found' });
    arrive(key, Buffer.from('<!doctype html>'));
    expect((await call('picture-send', { key }, ada)).error).toMatchObject({ code: 'bad_content' });
    arrive(key, pngStart, { sha256: undefined });
    expect((await call('picture-send', { key }, ada)).error).toMatchObject({ code: 'not_found' });
    arrive(key);
    expect((await call('picture-send', { key }, ada)).error).toBeUndefined();
  });

  it('refuses the key of another user, type or tenant', async () => {
    const key = await upload();
    arrive(key);
    for (const from of [
      { userId: 'ben' },
      { userId: 'ada', userType: 'agent' },
      { userId: 'ada', tenant: 't' },
    ])
      expect((await call('picture-send', { key }, { from })).error).toMatchObject({ code: 'not_found' });
  });

  it.each([
    `data:image/png;base64,${png(1600)}`,
    `data:image/svg+xml;base64,${png(100)}`,
    `data:image/jpeg;base64,${png(100)}`,
    'https://evil.example/x.png',
  ])('refuses a preview of another kind or size: %#', async (preview) => {
    const key = await upload();
    arrive(key);
    const { error } = await call('picture-send', { key, preview }, ada);
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: 'content.preview' }] });
  });
});

describe('picture-link', () => {
  it('is for the sender and the user it was sent to', async () => {
    const key = await upload();
    arrive(key);
    for (const who of [ada, ben])
      expect((await call('picture-link', { key }, who)).ack).toMatchObject({
        url: `https://s3.test/${key}?signed`,
      });
  });

  it('is refused to everyone else, as if there were no picture', async () => {
    const key = await upload();
    arrive(key);
    const missing = (await call('picture-link', { key: 'pictures/default/member/ada/none' }, ben)).error;
    expect(missing).toMatchObject({ code: 'not_found' });
    for (const from of [
      { userId: 'cyd' },
      { userId: 'ben', userType: 'agent' },
      { userId: 'ben', tenant: 't' },
    ])
      expect((await call('picture-link', { key }, { from, topics: ['*'] })).error).toEqual(missing);
  });

  it('of a picture in a topic is for those whose token allows the topic', async () => {
    const key = await upload({ ...ada, topics: ['photos.*'] }, { ...large, to: 'topic:photos.eu' });
    arrive(key);
    expect((await call('picture-link', { key }, { ...ben, topics: ['photos.eu'] })).error).toBeUndefined();
    expect((await call('picture-link', { key }, { ...ben, topics: ['photos.us'] })).error).toMatchObject({
      code: 'not_found',
    });
  });
});
