import { errorTable, Refusal } from '../protocol/index.ts';
import { log } from './log.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The answer a use case gives, its `Refusal`, or `internal` for a fault, of which only the log learns more. */
export async function answerOf(run: () => Promise<Answer>): Promise<Answer> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof Refusal)) log.error('request failed', { cause });
    const { code, message, details } =
      cause instanceof Refusal
        ? cause
        : new Refusal('internal', 'The request failed on our side; try again.');
    const error = { code, message, ...(details.length > 0 && { details }) };
    return { status: errorTable[code].httpStatus, body: { error } };
  }
}

/** As the HTTP API wants it, payload format 2.0. */
export function httpResponse({ status, body }: Answer) {
  return { statusCode: status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
