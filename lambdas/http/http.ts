import * as z from 'zod/mini';
import { errorTable, parseWith, Refusal } from '../../protocol/index.ts';
import type { HttpEvent } from '../events.ts';
import { log } from '../logging/log.ts';

export interface HttpResult {
  readonly status: number;
  readonly body: unknown;
  /** When the same request may succeed. @default - unknown */
  readonly retryAfterMs?: number | undefined;
}

/** The response of the HTTP API, payload format 2.0. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Runs a use case. An error that it throws becomes a result too. */
export async function resultOf(run: () => Promise<HttpResult>): Promise<HttpResult> {
  try {
    return await run();
  } catch (cause) {
    return errorResult(cause);
  }
}

/** The answer to an error. A `Refusal` is answered as it is. Any other error is logged and answered as `internal`. */
export function errorResult(cause: unknown): HttpResult {
  if (!(cause instanceof Refusal)) log.error('request failed', { cause });
  const { code, message, details, retryAfterMs } = Refusal.of(cause);
  const error = { code, message, ...(details.length > 0 && { details }), retryAfterMs };
  return { status: errorTable[code].httpStatus, body: { error }, retryAfterMs };
}

export function httpResponse({ status, body, retryAfterMs }: HttpResult): HttpResponse {
  const response = jsonResponse(status, JSON.stringify(body));
  if (retryAfterMs === undefined) return response;
  // RFC 9110, 10.2.3: whole seconds.
  return {
    ...response,
    headers: { ...response.headers, 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
  };
}

export function jsonResponse(statusCode: number, json: string): HttpResponse {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: json };
}

/** Bare text as it is. Without one the body is empty. */
export function textResponse(text: string): HttpResponse {
  return { statusCode: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text };
}

/** The ARN of the service that signed a request. `undefined`: the route is not one that IAM authorizes. */
export function callerArn({ requestContext }: HttpEvent): string | undefined {
  return requestContext.authorizer?.iam?.userArn;
}

/** For a route without query parameters. */
export const noQuery = z.strictObject({});

export function queryOf<Schema extends z.ZodMiniType>(event: HttpEvent, schema: Schema): z.output<Schema> {
  return parseWith(schema, event.queryStringParameters ?? {}, '', 'bad_request');
}

export function pathOf<Schema extends z.ZodMiniType>(event: HttpEvent, schema: Schema): z.output<Schema> {
  return parseWith(schema, event.pathParameters ?? {}, '', 'bad_request');
}

/** The body of a request. The content type is ignored. A body above `maxBytes` is refused before it is parsed. */
export function textBody({ body = '', isBase64Encoded }: HttpEvent, maxBytes: number): string {
  const encoding = isBase64Encoded ? 'base64' : 'utf8';
  const bytes = Buffer.byteLength(body, encoding);
  if (bytes > maxBytes) throw Refusal.at('too_large', 'body', `has ${bytes} bytes; the limit is ${maxBytes}`);
  return Buffer.from(body, encoding).toString();
}

export function jsonBody(event: HttpEvent, maxBytes: number): unknown {
  try {
    return JSON.parse(textBody(event, maxBytes));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw Refusal.at('bad_request', 'body', 'is not JSON');
  }
}
