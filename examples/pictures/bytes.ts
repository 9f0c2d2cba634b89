import { Refusal } from 'switchboard/listener';
import { maxPreviewLength, type PictureType } from './limits.ts';

/** How many bytes `typeOf` needs. */
export const signatureLength = 12;

/** The type of a picture by its first bytes; `undefined` if it is none that is allowed. https://mimesniff.spec.whatwg.org/ */
export function typeOf(bytes: Uint8Array): PictureType | undefined {
  const start = Buffer.from(bytes.subarray(0, signatureLength)).toString('latin1');
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'image/gif';
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? 'image/webp' : undefined;
}

export function requireType(bytes: Uint8Array, contentType: string, field: string): void {
  if (typeOf(bytes) !== contentType)
    throw Refusal.at('bad_content', field, `must be a picture of the type ${contentType}`);
}

/** A preview must be a small picture, because pages show it as it is. */
export function requirePreview(preview: string): void {
  const field = 'content.preview';
  const [, type = '', data = ''] = /^data:(image\/[a-z]+);base64,([A-Za-z0-9+/]+=*)$/.exec(preview) ?? [];
  if (type === '' || preview.length > maxPreviewLength)
    throw Refusal.at(
      'bad_content',
      field,
      `must be a data URL with base64, at most ${maxPreviewLength} characters`,
    );
  requireType(Buffer.from(data, 'base64'), type, field);
}
