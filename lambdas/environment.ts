/**
 * The environment of every function: the one module that reads `process.env`, and the type that the stack's
 * constructs satisfy. A variable added on one side only does not compile.
 */

const sessionStore = ['SESSIONS_TABLE', 'SHARDS'] as const;
const caller = [...sessionStore, 'STATE_TABLE', 'CALLBACK_ENDPOINT'] as const;
const verifier = ['TOKEN_SECRET_ARN', 'TOKEN_CLAIMS'] as const;
const sender = [...caller, 'INLINE_LIMIT', 'FAN_OUT_QUEUE_URL', 'DURABLE_TOPICS'] as const;

/**
 * - `SHARDS`: over how many partitions a tenant's audience is spread, a whole number ≥ 1.
 * - `CALLBACK_ENDPOINT`: the URL in front of `/@connections/{connectionId}`.
 * - `INLINE_LIMIT`: the largest audience that one publish sends to at once.
 * - `DURABLE_TOPICS`: comma-separated patterns of the topics whose messages are kept; empty for none.
 * - `FAN_OUT_RATE`: posts per second that one worker may make.
 * - `FAN_OUT_ATTEMPTS`: how often a job is received before it goes to the dead-letter queue.
 * - `TOKEN_CLAIMS`: JSON `{"userId","userType","tenant","topics"}`, the name each claim has in the tokens.
 * - `ALLOWED_ORIGINS`: comma-separated origins that browsers may connect from; empty allows all.
 */
export const variables = {
  authorize: ['LOG_LEVEL', ...verifier, 'ALLOWED_ORIGINS'],
  connect: ['LOG_LEVEL', ...sessionStore],
  disconnect: ['LOG_LEVEL', ...sessionStore],
  message: ['LOG_LEVEL', ...sender, ...verifier],
  publish: ['LOG_LEVEL', ...sender],
  api: ['LOG_LEVEL', ...caller],
  'fan-out': ['LOG_LEVEL', ...caller, 'FAN_OUT_QUEUE_URL', 'FAN_OUT_RATE', 'FAN_OUT_ATTEMPTS'],
} as const;

export type FunctionName = keyof typeof variables;

export type FunctionEnvironments = {
  readonly [F in FunctionName]: Readonly<Record<(typeof variables)[F][number], string>>;
};

/** The environment of the function that runs; throws an error that names the missing variable. */
export function readEnvironment<F extends FunctionName>(functionName: F): FunctionEnvironments[F] {
  const entries = variables[functionName].map((variable) => [variable, read(variable)] as const);
  return Object.fromEntries(entries) as FunctionEnvironments[F];
}

/** The Region the function runs in, which Lambda itself puts there. */
export function readRegion(): string {
  return read('AWS_REGION');
}

function read(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`This function needs the environment variable ${variable}.`);
  return value;
}
