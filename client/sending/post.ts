import { disconnected, readError } from '../errors.ts';
import { readJson } from '../frames.ts';
import type { Answer } from './requests.ts';

/** Posts with the user's token. Resolves to this field of the answer. The signal aborts when the client closes. */
export async function post(
  url: string,
  field: string,
  token: string,
  signal: AbortSignal,
  body = '{}',
): Promise<Answer> {
  try {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    // Without the field it is `{"error"}`; API Gateway itself answers `{"message"}`.
    const answer = Object(readJson(await response.text())) as Record<string, unknown>;
    if (field in answer) return { content: answer[field] };
    return { error: readError(answer.error ?? { ...answer, code: `http_${response.status}` }) };
  } catch (cause) {
    return { error: disconnected(String(cause)) };
  }
}
