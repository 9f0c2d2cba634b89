import type { NewPicture } from '../../../examples/pictures/contents.ts';
import type { PictureStore } from '../../../examples/pictures/store.ts';

export const pngStart = Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1');

/** Pictures in memory. `arrive` is what S3 does with an upload. */
export function picturesInMemory() {
  const prepared = new Map<string, NewPicture>();
  const objects = new Map<string, { picture: NewPicture; start: Uint8Array; sha256: string | undefined }>();
  const store: PictureStore = {
    prepareUpload(key, picture) {
      prepared.set(key, picture);
      return Promise.resolve({ url: `https://s3.test/${key}`, method: 'PUT', headers: {}, expiresAt: 1 });
    },
    find(key) {
      const object = objects.get(key);
      return Promise.resolve(object && { ...object.picture, sha256: object.sha256 });
    },
    firstBytes: (key) => Promise.resolve(objects.get(key)?.start ?? new Uint8Array()),
    link: (key) => Promise.resolve({ url: `https://s3.test/${key}?signed`, expiresAt: 1 }),
  };
  function arrive(key: string, start: Uint8Array = pngStart, changes: { sha256?: undefined } = {}): void {
    const picture = prepared.get(key);
    if (picture === undefined) throw new Error(`${key} was not prepared.`);
    objects.set(key, { picture, start, sha256: picture.sha256, ...changes });
  }
  return { store, arrive };
}
