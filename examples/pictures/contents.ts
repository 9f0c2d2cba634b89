import * as z from 'zod/mini';
import { maxInlineBytes, maxPictureBytes, maxPreviewLength, maxSide, pictureTypes } from './limits.ts';

const side = z
  .int(`must be a whole number of pixels, at most ${maxSide}`)
  .check(z.minimum(1, 'must be at least 1'), z.maximum(maxSide, `must be at most ${maxSide}`));

// A control character would take six bytes of the frame.
const fileName = z
  .string()
  .check(z.regex(/^[^\p{C}]{1,100}$/u, 'must be 1 to 100 characters, without control characters'));

const described = {
  /** `user:<type>:<id>` or `topic:<name>`. */
  to: z
    .string('must be a target such as user:member:42')
    .check(z.maxLength(300, 'must be at most 300 characters')),
  name: z.optional(fileName),
  contentType: z.enum(pictureTypes, `must be one of ${pictureTypes.join(', ')}`),
  width: side,
  height: side,
};

const preview = z.optional(
  z
    .string('must be a data URL')
    .check(z.maxLength(maxPreviewLength, `must be at most ${maxPreviewLength} characters`)),
);

export const key = z
  .string('must be the key of an upload')
  .check(z.maxLength(512, 'must be at most 512 characters'));

/** The content of `picture-upload`. */
export const upload = z.object({
  ...described,
  bytes: z
    .int('must be the number of bytes')
    .check(
      z.minimum(1, 'must be at least 1'),
      z.maximum(maxPictureBytes, `must be at most ${maxPictureBytes}: that is the largest picture`),
    ),
  sha256: z
    .string('must be a SHA-256 in base64')
    .check(z.regex(/^[A-Za-z0-9+/]{43}=$/, 'must be a SHA-256 in base64')),
});

/** The content of `picture-send` for an upload. */
export const uploaded = z.object({ key, preview });

/** The content of `picture-send` for a picture in the frame. */
export const inline = z.object({
  ...described,
  data: z.string('must be base64').check(
    z.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'must be base64'),
    z.refine(
      (data) => Buffer.byteLength(data, 'base64') <= maxInlineBytes,
      `must be at most ${maxInlineBytes} bytes; upload a larger picture`,
    ),
  ),
});

export type NewPicture = z.output<typeof upload>;
