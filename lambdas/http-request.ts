import * as z from 'zod/mini';
import { parseWith, Refusal } from '../protocol/index.ts';
import type { HttpEvent } from './events.ts';

/** The query of a route that takes none. */
export const noQuery = z.strictObject({});

export function queryOf<Schema extends z.ZodMiniType>(event: HttpEvent, schema: Schema): z.output<Schema> {
  return parseWith(schema, event.queryStringParameters ?? {}, '', 'bad_request');
}

export function pathOf<Schema extends z.ZodMiniType>(event: HttpEvent, schema: Schema): z.output<Schema> {
  return parseWith(schema, event.pathParameters ?? {}, '', 'bad_request');
}

/** The body of a request, of whatever content type it was sent as. */
export function textBody({ body = '', isBase64Encoded }: HttpEvent): string {
  return isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;
}

export function jsonBody(event: HttpEvent): unknown {
  try {
    return JSON.parse(textBody(event));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new Refusal('bad_request', 'body: is not JSON', [{ field: 'body', message: 'is not JSON' }]);
  }
}
