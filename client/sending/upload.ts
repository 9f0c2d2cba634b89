import { maxUplinkFrameBytes } from '../../protocol/limits.ts';
import { SwitchboardError } from '../errors.ts';
import { readToken, type TokenSource } from '../connection/tokens.ts';
import { post } from './post.ts';
import type { Answer, Carrier } from './requests.ts';

export interface UploadSettings {
  readonly httpUrl?: string;
  readonly token: TokenSource;
  /** Aborted when the client closes. */
  readonly signal: AbortSignal;
}

/** Whether API Gateway would close the connection with 1009 for this frame (WebSocket quotas, frame size). */
export function isTooLarge(text: string): boolean {
  return new TextEncoder().encode(text).length > maxUplinkFrameBytes;
}

/** Sends frames over HTTP that are too large for a WebSocket frame. */
export function createUpload({ httpUrl, token, signal }: UploadSettings): Carrier {
  async function upload(frame: string): Promise<Answer> {
    if (!httpUrl) return { error: new SwitchboardError('too_large') };
    const reading = await readToken(token);
    if (reading.error) return reading;
    return post(`${httpUrl}/messages`, 'content', reading.token, signal, frame);
  }
  return { isEnded: false, send: ({ text, settle }) => void upload(text).then(settle) };
}
