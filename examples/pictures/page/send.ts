import type { Client } from '@switchboard/client';
import { maxInlineBytes } from '../limits.ts';
import { base64, type Chosen, sha256 } from './prepare.ts';

interface Upload {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Options {
  readonly to: string;
  readonly signal: AbortSignal;
  /** From 0 to 1. */
  readonly onProgress: (part: number) => void;
}

/** Sends a picture: in the frame if it is small, otherwise by an upload. */
export async function sendPicture(client: Client, chosen: Chosen, options: Options): Promise<void> {
  const { file, preview, ...described } = chosen;
  const { to, signal, onProgress } = options;
  if (file.size <= maxInlineBytes) {
    const data = base64(new Uint8Array(await file.arrayBuffer()));
    signal.throwIfAborted();
    await client.send('picture-send', { to, ...described, data });
    return;
  }
  const content = { to, ...described, bytes: file.size, sha256: await sha256(file) };
  signal.throwIfAborted();
  const { key, upload } = (await client.send('picture-upload', content)) as { key: string; upload: Upload };
  signal.throwIfAborted();
  await put(upload, file, signal, onProgress);
  signal.throwIfAborted();
  await client.send('picture-send', { key, preview });
}

/** `fetch` tells nothing of the progress of an upload. */
function put(
  upload: Upload,
  file: Blob,
  signal: AbortSignal,
  onProgress: Options['onProgress'],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(upload.method, upload.url);
    for (const [name, value] of Object.entries(upload.headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener('load', () => {
      if (request.status === 200) resolve();
      else reject(new Error(refusal(request)));
    });
    request.addEventListener('error', () => reject(new Error('The upload broke off. Is the network there?')));
    request.addEventListener('abort', () =>
      reject(new DOMException('The upload was cancelled.', 'AbortError')),
    );
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

function refusal({ status, responseText }: XMLHttpRequest): string {
  const code = /<Code>(\w+)</.exec(responseText)?.[1] ?? `status ${status}`;
  return refusals[code] ?? `The store refused the picture (${code}).`;
}

/** The errors of S3 that a user may meet. */
const refusals: Readonly<Record<string, string>> = {
  AccessDenied: 'The time for this upload is over. Send the picture again.',
  BadDigest: 'The picture was damaged on its way. Send it again.',
  RequestTimeout: 'The upload was too slow. Send the picture again.',
  SlowDown: 'The store is busy. Send the picture again in a moment.',
};
