import { defineListener, type Listener, type ListenerContext, Refusal } from 'switchboard/listener';
import { parseWith } from 'switchboard/protocol';
import * as z from 'zod/mini';
import { requirePreview, requireType, signatureLength } from './bytes.ts';
import { inline, key, upload, uploaded } from './contents.ts';
import { folderOf, isOfTenant, mayRead, requireSendTo } from './rights.ts';
import type { PictureStore, StoredPicture } from './store.ts';

/** The listeners of pictures. Receivers get a durable message of the type `picture`. */
export function createListeners({
  store,
  newId,
}: {
  readonly store: PictureStore;
  readonly newId: () => string;
}): Listener[] {
  return [
    /** Acks with the key of the picture, and with the request that uploads it. */
    defineListener({
      type: 'picture-upload',
      content: upload,
      async handle({ content, ...caller }) {
        requireSendTo(content.to, caller);
        const key = folderOf(caller.from) + newId();
        return { key, upload: await store.prepareUpload(key, content) };
      },
    }),

    /** Sends a picture that is in the frame (`data`), or an upload (`key`). Acks with the answer of the publish. */
    defineListener({
      type: 'picture-send',
      content: z.record(z.string(), z.unknown()),
      async handle({ content, ...context }) {
        if ('key' in content) return sendUpload(read(uploaded, content), context);
        const { to, ...picture } = read(inline, content);
        requireSendTo(to, context);
        const start = Buffer.from(picture.data.slice(0, 2 * signatureLength), 'base64');
        requireType(start, picture.contentType, 'content.data');
        return context.send(to, 'picture', picture, { durable: true });
      },
    }),

    /** Acks with a link to a picture. A message outlives every link, so pages ask when they show the picture. */
    defineListener({
      type: 'picture-link',
      content: z.object({ key }),
      async handle({ content, ...caller }) {
        const picture = isOfTenant(content.key, caller.from) ? await store.find(content.key) : undefined;
        const isOwn = content.key.startsWith(folderOf(caller.from));
        if (picture === undefined || !(isOwn || mayRead(picture.to, caller))) throw unknownKey();
        return store.link(content.key);
      },
    }),
  ];

  async function sendUpload(
    { key, preview }: z.output<typeof uploaded>,
    context: Omit<ListenerContext<unknown>, 'content'>,
  ) {
    if (preview !== undefined) requirePreview(preview);
    const picture = await findUpload(store, key, context);
    requireSendTo(picture.to, context);
    const { to, sha256: _, ...shown } = picture;
    return context.send(to, 'picture', { key, ...shown, ...(preview && { preview }) }, { durable: true });
  }
}

function read<Schema extends z.ZodMiniType>(schema: Schema, content: unknown): z.output<Schema> {
  return parseWith(schema, content, 'content', 'bad_content');
}

/** The upload of a user, checked: it is there, it is the user's own, and it is a picture of its type. For your own listeners. */
export async function findUpload(
  store: PictureStore,
  key: string,
  { from }: Pick<ListenerContext<unknown>, 'from'>,
): Promise<StoredPicture> {
  const picture = key.startsWith(folderOf(from)) ? await store.find(key) : undefined;
  // S3 has compared the checksum with the bytes. An object without one came another way.
  if (picture?.sha256 === undefined) throw unknownKey();
  requireType(await store.firstBytes(key), picture.contentType, 'content.key');
  return picture;
}

/** The same words whether or not there is such a picture: who may not see it learns nothing. */
export function unknownKey(): Refusal {
  return Refusal.at('not_found', 'content.key', 'there is no such picture for you');
}
