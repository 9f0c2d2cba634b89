/**
 * Every error that a user can get. Codes are stable, and the same in frames, HTTP answers and docs. `httpStatus` is the
 * status over HTTP. `retryable`: the same request may succeed later. `closes`: the server then closes the connection.
 */
export const errorTable = {
  bad_frame: { httpStatus: 400, retryable: false, closes: false },
  unknown_type: { httpStatus: 400, retryable: false, closes: false },
  bad_content: { httpStatus: 400, retryable: false, closes: false },
  bad_request: { httpStatus: 400, retryable: false, closes: false },
  unauthorized: { httpStatus: 401, retryable: false, closes: false },
  token_expired: { httpStatus: 401, retryable: true, closes: true },
  forbidden: { httpStatus: 403, retryable: false, closes: false },
  not_found: { httpStatus: 404, retryable: false, closes: false },
  conflict: { httpStatus: 409, retryable: false, closes: false },
  too_large: { httpStatus: 413, retryable: false, closes: false },
  rate_limited: { httpStatus: 429, retryable: true, closes: false },
  internal: { httpStatus: 500, retryable: true, closes: false },
} as const satisfies Record<string, { httpStatus: number; retryable: boolean; closes: boolean }>;

export type ErrorCode = keyof typeof errorTable;

/** One fault in the input: its field, such as `to[3]` or `content.toUserId`, and what is allowed there. */
export interface ErrorDetail {
  readonly field: string;
  readonly message: string;
}

/**
 * A request that is refused. Its code, message and details are written for the user and are sent unchanged. Any other
 * error is a fault of the server. It is sent as `internal`, without its text.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  /** When the same request may succeed. @default - unknown */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: readonly ErrorDetail[] = [], retryAfterMs?: number) {
    super(message);
    // Code without types can pass any text. A client must get only the codes of the protocol.
    if (!Object.hasOwn(errorTable, code))
      throw new TypeError(`There is no error code ${JSON.stringify(code)}.`);
    this.code = code;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }

  /** Returns a refusal unchanged. Any other error becomes `internal`, without its text. */
  static of(cause: unknown): Refusal {
    if (cause instanceof Refusal) return cause;
    return new Refusal('internal', 'The request failed on our side; try again.');
  }

  /** Refuses one field. The message and the details name it. */
  static at(code: ErrorCode, field: string, message: string): Refusal {
    return new Refusal(code, `${field}: ${message}`, [{ field, message }]);
  }
}
