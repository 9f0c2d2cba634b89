import { createHmac } from 'node:crypto';

/** The specification asks for 24 to 64 bytes. A longer key is no weaker. */
const minKeyBytes = 24;

/**
 * The key in a secret's text: base64, with or without `whsec_` in front.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function readSigningKey(secret: string): Buffer {
  const text = secret.replace(/^whsec_/, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
  const key = Buffer.from(text, 'base64');
  if (isBase64 && key.length >= minKeyBytes) return key;
  throw new Error(`The secret must be base64 of at least ${minKeyBytes} bytes. It may begin with whsec_.`);
}

/** The header `webhook-signature`. The timestamp is in epoch seconds. */
export function signatureOf(
  key: Buffer,
  { id, timestamp, body }: { readonly id: string; readonly timestamp: number; readonly body: string },
): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
