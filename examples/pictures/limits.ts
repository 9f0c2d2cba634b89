/** The largest picture that travels in the frame. Its base64 has 128,000 characters, and a durable frame 130,048 bytes. */
export const maxInlineBytes = 96_000;

/** The largest picture that is uploaded. */
export const maxPictureBytes = 10 * 1024 * 1024;

/** The longest `data:` URL of a preview, in characters. */
export const maxPreviewLength = 2048;

/** The most pixels of one side. */
export const maxSide = 20_000;

/** How long an upload may take to begin, and how long a link opens, in seconds. */
export const linkSeconds = 300;

/**
 * SVG is missing on purpose: it is a document that may hold scripts, and they would run for whoever opens the link.
 */
export const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;

export type PictureType = (typeof pictureTypes)[number];
