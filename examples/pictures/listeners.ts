import { randomUUID } from 'node:crypto';
import { createListeners } from './create-listeners.ts';
import { picturesInBucket } from './store.ts';

/** The listeners of pictures, on the bucket that the construct has made. */
export default createListeners({
  store: picturesInBucket({ bucket: process.env['PICTURES_BUCKET'] ?? '', now: () => Date.now() }),
  newId: () => randomUUID(),
});
