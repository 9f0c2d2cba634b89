import * as z from 'zod/mini';
import type { ReadToken } from './verified-token.ts';

/** Calls the function that verifies tokens. Resolves to the JSON text of its answer. */
export type CallVerifier = (event: { readonly token: string }) => Promise<string>;

const answerSchema = z.nullable(z.record(z.string(), z.unknown()));

/** Reads tokens of any form by a function. It answers the claims, or `null` to refuse the token. */
export function createFunctionReader(call: CallVerifier): ReadToken {
  return async (token) => {
    if (token === '') return { ok: false, reason: 'there is no token' };
    const claims = readAnswer(await call({ token }));
    return claims === null ? { ok: false, reason: 'verifyToken answered null' } : { ok: true, claims };
  };
}

function readAnswer(text: string): z.output<typeof answerSchema> {
  try {
    return z.parse(answerSchema, JSON.parse(text));
  } catch {
    // Without its cause, which may quote the answer.
    throw new Error('The function verifyToken must answer an object with claims, or null.');
  }
}
