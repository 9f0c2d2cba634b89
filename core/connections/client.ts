import { type PostAllOptions, type PostAllResult, postToAll } from './post-all.ts';
import { type CallerOptions, createCaller, type Payload } from './caller.ts';
import { limitBy, type Limits } from './limits.ts';
import { type DisconnectOutcome, type PostOutcome, type Refusal } from './outcome.ts';
import { sha256Hex } from './signer.ts';

export type { PostAllOptions, PostAllResult } from './post-all.ts';
export type { Payload } from './caller.ts';
export type { Limits } from './limits.ts';
export { isRetryable, reasonOf } from './outcome.ts';
export type {
  DisconnectOutcome,
  Failed,
  FailureReason,
  Gone,
  PostOutcome,
  Throttled,
  TooLarge,
} from './outcome.ts';

export interface ConnectionsClientOptions {
  /** The callback URL of the stage, such as `https://id.execute-api.us-east-1.amazonaws.com/live`. */
  readonly endpoint: string;
  readonly region: string;
  /** @default the SDK's credential chain */
  readonly credentials?: CallerOptions['credentials'];
  /** How many connections are held at most; further calls wait. @default 128 */
  readonly maxSockets?: number;
  /** Silence after which an attempt is given up as a fault of the network. @default 5000 */
  readonly timeoutMs?: number;
  /** A connection idle for longer is not used again. @default 15000 */
  readonly maxIdleMs?: number;
  /** How often a 429, a 5xx or a lost connection is tried again, with full jitter. @default 2 */
  readonly retries?: number;
  /** Upper end of the first wait; each further one doubles it. @default 50 */
  readonly retryDelayMs?: number;
  /** The same after a 429. @default 1000 */
  readonly throttledDelayMs?: number;
  /** Certificates to trust instead of the system's (PEM). */
  readonly ca?: string;
  /** Epoch milliseconds. @default Date.now */
  readonly now?: () => number;
  /** From 0 to below 1. @default Math.random */
  readonly random?: () => number;
}

/** Posts to connections of one stage. What may well happen is an outcome; nothing here rejects because of it. */
export interface ConnectionsClient {
  /** Hashes a payload once, for any number of recipients. */
  prepare(payload: Uint8Array | string): Payload;
  post(connectionId: string, payload: Payload, limits?: Limits): Promise<PostOutcome>;
  /** Closes the connection; API Gateway always does so with 1000, so tell the client why before. */
  disconnect(connectionId: string, limits?: Limits): Promise<DisconnectOutcome>;
  postAll(
    connectionIds: Iterable<string> | AsyncIterable<string>,
    payload: Payload,
    options?: PostAllOptions,
  ): Promise<PostAllResult>;
  /** Closes all connections; calls on their way end as `failed`. */
  close(): void;
}

const sent: PostOutcome = { outcome: 'sent' };
const closed: DisconnectOutcome = { outcome: 'closed' };

export function createConnectionsClient(options: ConnectionsClientOptions): ConnectionsClient {
  const now = options.now ?? Date.now;
  const caller = createCaller({
    endpoint: new URL(options.endpoint),
    region: options.region,
    credentials: options.credentials,
    maxSockets: options.maxSockets ?? 128,
    timeoutMs: options.timeoutMs ?? 5_000,
    maxIdleMs: options.maxIdleMs ?? 15_000,
    retries: options.retries ?? 2,
    retryDelayMs: options.retryDelayMs ?? 50,
    throttledDelayMs: options.throttledDelayMs ?? 1_000,
    ca: options.ca,
    now,
    random: options.random ?? Math.random,
  });

  async function post(connectionId: string, payload: Payload, limits: Limits = {}): Promise<PostOutcome> {
    const { signal, release } = limitBy(limits, now);
    const result = await caller.call({ connectionId, payload }, signal);
    release();
    return result === 'ok' ? sent : result;
  }

  return {
    prepare(payload) {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
      return { bytes, hash: sha256Hex(bytes) };
    },
    post,
    async disconnect(connectionId, limits = {}) {
      const { signal, release } = limitBy(limits, now);
      const result = await caller.call({ connectionId }, signal);
      release();
      return result === 'ok' ? closed : withoutSize(result);
    },
    postAll: (connectionIds, payload, options = {}) =>
      postToAll(connectionIds, (connectionId, limits) => post(connectionId, payload, limits), options, now),
    close: () => caller.close(),
  };
}

/** A DELETE has no body, so a 413 to it makes no sense. */
function withoutSize(refusal: Refusal): DisconnectOutcome {
  if (refusal.outcome !== 'too_large') return refusal;
  const { requestId } = refusal;
  return { outcome: 'failed', reason: 'unexpected', isRetryable: false, requestId, cause: refusal };
}
