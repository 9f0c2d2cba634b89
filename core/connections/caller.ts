import {
  ApiGatewayManagementApiClient,
  type ApiGatewayManagementApiClientConfig,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { createRequestHandler, type FirstAttempt, type SendOptions } from './handler.ts';
import { credentialsFailed, gone, noConnectionId, refusalOf, type Refusal } from './outcome.ts';
import { createPool, type PoolOptions } from './pool.ts';
import { createRetry, type RetryOptions } from './retry.ts';
import { createSigner, encodeSegment, sha256Hex } from './signer.ts';

export interface CallerOptions extends PoolOptions, RetryOptions {
  readonly region: string;
  readonly credentials?: ApiGatewayManagementApiClientConfig['credentials'];
}

/** Bytes to post, hashed once for all their recipients. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
}

export interface Call {
  readonly connectionId: string;
  /** Absent for a DELETE. */
  readonly payload?: Payload;
}

export interface Caller {
  /** Makes one call to `@connections`; never rejects. */
  call(call: Call, signal: AbortSignal | undefined): Promise<'ok' | Refusal>;
  close(): void;
}

/** From here on the SDK takes a difference of clocks for the cause of a refusal. */
const clockSkewMs = 240_000;

const noPayload: Payload = { bytes: new Uint8Array(), hash: sha256Hex('') };

/**
 * The SDK's client with a short cut for its first attempt. The client builds, signs and sends a request in about
 * 400 µs, nearly all of it spent on things that are the same for every recipient; here a post costs a tenth of that.
 * Endpoint, credentials and clock offset are the client's, so they refresh as it refreshes them. Success and 410 are
 * answered here; every other first answer is handed into the client, which carries on as if it had sent it itself.
 */
export function createCaller(options: CallerOptions): Caller {
  const { endpoint, region, credentials, retries, now } = options;
  const pool = createPool(options);
  const retry = createRetry(options);
  const sign = createSigner({ region, service: 'execute-api' });
  // The SDK keeps a slash at the end of an endpoint, and would ask for `/live//@connections`.
  const stagePath = endpoint.pathname.replace(/\/+$/, '');
  const client = new ApiGatewayManagementApiClient({
    endpoint: endpoint.origin + stagePath,
    region,
    ...(credentials && { credentials }),
    maxAttempts: retries + 1,
    retryStrategy: retry,
    requestHandler: createRequestHandler(pool),
  });
  const { host } = endpoint;

  async function call(
    { connectionId, payload }: Call,
    signal: AbortSignal | undefined,
  ): Promise<'ok' | Refusal> {
    if (/^\.{0,2}$|\p{Surrogate}/u.test(connectionId)) return noConnectionId;
    let identity;
    try {
      identity = await client.config.credentials();
    } catch (error) {
      return credentialsFailed(error);
    }
    const clockOffsetMs = client.config.systemClockOffset;
    const method = payload ? 'POST' : 'DELETE';
    const path = `${stagePath}/@connections/${encodeSegment(connectionId)}`;
    const contentType = payload && 'application/octet-stream';
    const { bytes, hash } = payload ?? noPayload;
    const request = { method, host, path, contentType, payloadHash: hash };
    const { authorization, date, sessionToken } = sign(request, identity, now() + clockOffsetMs);
    const head =
      `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: switchboard\r\n` +
      (contentType ? `content-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n` : '') +
      (sessionToken ? `x-amz-security-token: ${sessionToken}\r\n` : '') +
      `x-amz-date: ${date}\r\nauthorization: ${authorization}\r\n\r\n`;

    const first = await pool.send(head, bytes, signal).catch(asError);
    if (first instanceof Error) {
      return signal?.aborted
        ? refusalOf(first, signal)
        : viaClient({ connectionId, payload }, signal, [first]);
    }
    if (first.statusCode < 300) {
      retry.recordFirstTimeSuccess();
      return 'ok';
    }
    if (first.statusCode === 410) return gone;
    // With no retry to make the client could only say the same, at its price, when thousands may be throttled at once.
    if (first.statusCode === 429 && retries === 0) {
      return { outcome: 'throttled', requestId: first.headers['x-amzn-requestid'] };
    }
    // Refused for a clock that another call has corrected since: the client would see no cause to try this one again.
    const correctedByMs = Math.abs(client.config.systemClockOffset - clockOffsetMs);
    const isOutdated = first.statusCode === 403 && correctedByMs >= clockSkewMs;
    return viaClient({ connectionId, payload }, signal, isOutdated ? [] : [first]);
  }

  async function viaClient(
    { connectionId: ConnectionId, payload }: { connectionId: string; payload: Payload | undefined },
    signal: AbortSignal | undefined,
    firstAttempts: FirstAttempt[],
  ): Promise<'ok' | Refusal> {
    const options: SendOptions = { firstAttempts, ...(signal && { abortSignal: signal }) };
    try {
      if (payload) {
        await client.send(new PostToConnectionCommand({ ConnectionId, Data: payload.bytes }), options);
      } else {
        await client.send(new DeleteConnectionCommand({ ConnectionId }), options);
      }
      return 'ok';
    } catch (error) {
      return refusalOf(error, signal);
    }
  }

  return { call, close: () => client.destroy() };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The request failed.', { cause: error });
}
