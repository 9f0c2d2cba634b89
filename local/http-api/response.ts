import { isRecord } from '../json.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: string | Buffer;
}

/**
 * Reads the result of a function in payload format 2.0; `undefined` if it is malformed. A result without a `statusCode`
 * is the JSON body of a 200 (http-api-develop-integrations-lambda).
 */
export function readProxyResponse(payload: unknown): HttpAnswer | undefined {
  if (!isRecord(payload) || payload.statusCode === undefined) {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload ?? null);
    return { status: 200, headers: { 'content-type': 'application/json' }, cookies: [], body };
  }
  const { body = '', isBase64Encoded = false, cookies = [] } = payload;
  const status = readStatus(payload.statusCode);
  const headers = readHeaders(payload.headers ?? {});
  const isWhole = (typeof body === 'string' || body === null) && typeof isBase64Encoded === 'boolean';
  if (status === undefined || !headers || !isWhole || !isTexts(cookies)) return undefined;
  const text = body ?? '';
  return {
    status,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
    cookies,
    body: isBase64Encoded ? Buffer.from(text, 'base64') : text,
  };
}

/** An answer of API Gateway itself: `{"message": …}`. */
export function message(status: number, text: string): HttpAnswer {
  const headers = { 'content-type': 'application/json' };
  return { status, headers, cookies: [], body: JSON.stringify({ message: text }) };
}

function readStatus(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599;
  return isStatus ? status : undefined;
}

/** Names become lower case, numbers and booleans become text. A header that HTTP cannot carry makes the result malformed. */
function readHeaders(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined;
  const headers: Record<string, string> = {};
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry !== 'string' && typeof entry !== 'number' && typeof entry !== 'boolean')
      return undefined;
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(String(entry)))
      return undefined;
    headers[name.toLowerCase()] = String(entry);
  }
  return headers;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && !/[\r\n]/.test(entry));
}
