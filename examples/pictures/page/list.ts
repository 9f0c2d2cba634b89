import type { Client, Frame } from '@switchboard/client';
import { pictureTypes } from '../limits.ts';
import { megabytes } from './prepare.ts';

/** What a message of the type `picture` holds. */
export interface Picture {
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly name?: string;
  readonly data?: string;
  readonly key?: string;
  readonly bytes?: number;
  readonly preview?: string;
}

const mostShown = 100;

/** Shows a picture at the top of the list. An upload shows its preview until a link has loaded. */
export function showPicture(list: HTMLElement, client: Client, frame: Frame<Picture>): void {
  const { content, from } = frame;
  const item = document.createElement('li');
  const open = document.createElement('button');
  const image = document.createElement('img');
  const caption = document.createElement('p');
  open.type = 'button';
  image.width = content.width;
  image.height = content.height;
  const name = content.name ?? 'Picture';
  image.alt = `${name}, from ${from?.userId ?? 'the system'}`;
  caption.className = 'faint';
  caption.setAttribute('role', 'status');
  const size = content.bytes === undefined ? '' : `, ${megabytes(content.bytes)}`;
  caption.textContent = `${image.alt}, ${content.width} × ${content.height}${size}`;
  item.append(caption);
  list.prepend(item);
  while (list.children.length > mostShown) list.lastElementChild?.remove();

  if (content.data !== undefined && pictureTypes.some((type) => type === content.contentType)) {
    image.src = `data:${content.contentType};base64,${content.data}`;
    item.prepend(image);
    return;
  }
  open.append(image);
  item.prepend(open);
  if (content.preview?.startsWith('data:image/') === true) image.src = content.preview;
  open.setAttribute('aria-label', `Load ${image.alt} again`);
  open.addEventListener('click', () => void load());
  void load();

  /** Links expire, so each time asks for a new one. */
  async function load(): Promise<void> {
    try {
      const { url } = (await client.send('picture-link', { key: content.key })) as { url: string };
      const loader = new Image();
      loader.src = url;
      await loader.decode();
      image.src = url;
      item.dataset.loaded = 'true';
    } catch (cause) {
      caption.textContent = `${image.alt}: it could not be loaded. Press it to try again. ${reason(cause)}`;
    }
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error && cause.name === 'SwitchboardError' ? cause.message : '';
}
