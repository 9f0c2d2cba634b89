/**
 * The environment of every function: the one place that reads `process.env`, and the type that the stack's
 * constructs satisfy. A variable added on one side only does not compile.
 */

/** Variables of all functions. */
interface Common {
  readonly LOG_LEVEL: string;
}

/** Where sessions live. `SHARDS` is how many partitions a tenant's audience is spread over (whole number ≥ 1). */
interface SessionStore {
  readonly SESSIONS_TABLE: string;
  readonly SHARDS: string;
}

/** What a function needs that sends messages. `CALLBACK_ENDPOINT` is the URL in front of `/@connections/{id}`. */
interface Sender extends SessionStore {
  readonly MESSAGES_TABLE: string;
  readonly CALLBACK_ENDPOINT: string;
  /** The largest audience that one publish sends to at once. */
  readonly INLINE_LIMIT: string;
}

export interface FunctionEnvironments {
  readonly authorize: Common & {
    readonly TOKEN_SECRET_ARN: string;
    /** JSON: `{"userType","tenant","topics"}`, the name that each claim has in the tokens. */
    readonly TOKEN_CLAIMS: string;
    /** Comma-separated origins that browsers may connect from; empty allows all. */
    readonly ALLOWED_ORIGINS: string;
  };
  readonly connect: Common & SessionStore;
  readonly disconnect: Common & SessionStore;
  readonly message: Common & Sender;
  readonly publish: Common & Sender;
  readonly api: Common & Sender;
}

export type FunctionName = keyof FunctionEnvironments;
