import { limitBy, type Limits } from './limits.ts';
import type {
  DisconnectOutcome,
  Failed,
  Gone,
  NotSent,
  PostOutcome,
  ProbeOutcome,
  Throttled,
} from './outcome.ts';
import { type Post, type PostAllOptions, type PostAllResult, postToAll } from './post-all.ts';
import { createRequester, type Payload, type RequesterOptions } from './request.ts';
import { sha256Hex } from './signer.ts';

export type { Limits } from './limits.ts';
export { isRetryable, reasonOf } from './outcome.ts';
export type {
  DisconnectOutcome,
  Failed,
  FailureReason,
  Gone,
  PostOutcome,
  ProbeOutcome,
  Throttled,
  TooLarge,
} from './outcome.ts';
export type { PostAllOptions, PostAllResult } from './post-all.ts';
export type { Payload } from './request.ts';

export interface ConnectionsClientOptions {
  /** The callback URL of the stage, such as `https://id.execute-api.us-east-1.amazonaws.com/live`. */
  readonly endpoint: string;
  readonly region: string;
  /** @default the SDK's credential chain */
  readonly credentials?: RequesterOptions['credentials'];
  /** The most sockets open at once. Further requests wait for one. @default 128 */
  readonly maxSockets?: number;
  /** An attempt fails after this much silence. @default 5000 */
  readonly timeoutMs?: number;
  /** A socket idle for longer is not used again. @default 15000 */
  readonly maxIdleMs?: number;
  /** How often a request is tried again after a 429, a 5xx or a network failure. @default 2 */
  readonly retries?: number;
  /** Upper end of the first wait, which is random. Each retry doubles it. @default 50 */
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

/** Posts to connections of one stage. Every failure of a request is an outcome, so these never reject. */
export interface ConnectionsClient {
  /** Hashes a payload once, for any number of recipients. */
  prepare(payload: Uint8Array | string): Payload;
  post(connectionId: string, payload: Payload, limits?: Limits): Promise<PostOutcome>;
  /** Closes the connection. API Gateway always uses code 1000, so post the reason first. */
  disconnect(connectionId: string, limits?: Limits): Promise<DisconnectOutcome>;
  /** Asks whether the connection is there. Its client notices nothing. */
  probe(connectionId: string, limits?: Limits): Promise<ProbeOutcome>;
  /** Posts one payload to all connections, or to each the payload that `payload` returns for it. */
  postAll(
    connectionIds: Iterable<string> | AsyncIterable<string>,
    payload: Payload | ((connectionId: string) => Payload),
    options?: PostAllOptions,
  ): Promise<PostAllResult>;
  /** Closes all sockets. Requests in flight end as `failed`. */
  close(): void;
}

const sent: PostOutcome = { outcome: 'sent' };
const connected: ProbeOutcome = { outcome: 'connected' };
const closed: DisconnectOutcome = { outcome: 'closed' };

export function createConnectionsClient(options: ConnectionsClientOptions): ConnectionsClient {
  const now = options.now ?? Date.now;
  const requester = createRequester({
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
    const { retriesThrottled } = limits;
    const result = await requester.request(
      { connectionId, method: 'POST', payload, retriesThrottled },
      signal,
    );
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
      const result = await requester.request({ connectionId, method: 'DELETE' }, signal);
      release();
      return result === 'ok' ? closed : withoutSize(result);
    },
    async probe(connectionId, limits = {}) {
      const { signal, release } = limitBy(limits, now);
      const result = await requester.request({ connectionId, method: 'GET' }, signal);
      release();
      return result === 'ok' ? connected : withoutSize(result);
    },
    postAll: (connectionIds, payload, options = {}) => {
      const payloadOf = typeof payload === 'function' ? payload : () => payload;
      const postOne: Post = (connectionId, limits) => post(connectionId, payloadOf(connectionId), limits);
      return postToAll(connectionIds, postOne, options, now);
    },
    close: () => requester.close(),
  };
}

/** These requests have no body, so the answer cannot be 413. */
function withoutSize(outcome: NotSent): Gone | Throttled | Failed {
  if (outcome.outcome !== 'too_large') return outcome;
  const { requestId } = outcome;
  return { outcome: 'failed', reason: 'unexpected', isRetryable: false, requestId, cause: outcome };
}
