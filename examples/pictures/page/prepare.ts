import { maxPictureBytes, maxPreviewLength, maxSide, pictureTypes, type PictureType } from '../limits.ts';

/** A picture that can be sent. */
export interface Chosen {
  readonly file: Blob;
  readonly name: string | undefined;
  readonly contentType: PictureType;
  readonly width: number;
  readonly height: number;
  /** A `data:` URL of at most 2 KB. `undefined`: even the smallest one is larger. */
  readonly preview: string | undefined;
}

/** Reads a file. Throws an error whose message is for the user. */
export async function readPicture(file: File): Promise<Chosen> {
  const contentType = pictureTypes.find((type) => type === file.type);
  if (contentType === undefined) throw new Error('This is not a PNG, JPEG, WebP or GIF.');
  if (file.size > maxPictureBytes)
    throw new Error(`This picture has ${megabytes(file.size)}. At most 10 MB can be sent.`);
  const bitmap = await decode(file);
  try {
    const { width, height } = bitmap;
    if (Math.max(width, height) > maxSide) throw new Error(`No side may have more than ${maxSide} pixels.`);
    return { file, name: cleanName(file.name), contentType, width, height, preview: previewOf(bitmap) };
  } finally {
    bitmap.close();
  }
}

export async function sha256(file: Blob): Promise<string> {
  return base64(new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())));
}

export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

export function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}

async function decode(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file);
  } catch (cause) {
    throw new Error('The browser cannot read this picture. The file may be damaged.', { cause });
  }
}

/** The largest of some small copies that fits. */
function previewOf(bitmap: ImageBitmap): string | undefined {
  return [64, 48, 32, 24, 16]
    .map((side) => scaled(bitmap, side))
    .find((url) => url.startsWith('data:image/') && url.length <= maxPreviewLength);
}

function scaled(bitmap: ImageBitmap, side: number): string {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/jpeg', 0.6);
}

function cleanName(name: string): string | undefined {
  return name.replaceAll(/\p{C}/gu, '').slice(0, 100) || undefined;
}
