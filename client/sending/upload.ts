import { maxUplinkFrameBytes } from '../../protocol/limits.ts';
import { disconnected, readError, SwitchboardError } from '../errors.ts';
import { readJson } from '../frames.ts';
import type { Answer, Carrier } from './requests.ts';
import { readToken, type TokenSource } from '../connection/tokens.ts';

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
  async function post(body: string): Promise<Answer> {
    if (!httpUrl) {
      return { error: new SwitchboardError('too_large') };
    }
    const reading = await readToken(token);
    if (reading.error) return reading;
    try {
      const headers = { authorization: `Bearer ${reading.token}`, 'content-type': 'application/json' };
      const response = await fetch(`${httpUrl}/messages`, { method: 'POST', headers, body, signal });
      // The ack, or `{"error"}`; API Gateway itself answers `{"message"}`.
      const answer = Object(readJson(await response.text())) as {
        type?: unknown;
        content?: unknown;
        error?: unknown;
      };
      if (answer.type === 'ack') return { content: answer.content };
      return {
        error: readError(answer.error ?? { ...answer, code: `http_${response.status}` }),
      };
    } catch (cause) {
      return { error: disconnected(String(cause)) };
    }
  }
  return { isEnded: false, send: ({ text, settle }) => void post(text).then(settle) };
}
