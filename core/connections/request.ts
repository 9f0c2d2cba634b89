import { setTimeout as wait } from 'node:timers/promises';
import {
  ApiGatewayManagementApiClient,
  type ApiGatewayManagementApiClientConfig,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { HttpResponse } from './http-response.ts';
import {
  credentialsFailed,
  impossibleId,
  isImpossibleId,
  type NotSent,
  outcomeOf,
  outcomeOfError,
} from './outcome.ts';
import { createPool, type PoolOptions } from './pool.ts';
import { createRetries, type Retry, type RetryOptions } from './retry.ts';
import { createSigner, encodeSegment, sha256Hex, type SigningCredentials } from './signer.ts';

export interface RequesterOptions extends PoolOptions, RetryOptions {
  readonly region: string;
  readonly credentials?: ApiGatewayManagementApiClientConfig['credentials'];
}

/** Bytes to post, hashed once for all their recipients. */
export interface Payload {
  readonly bytes: Uint8Array;
  /** SHA-256, lower-case hex. */
  readonly hash: string;
}

export interface ConnectionRequest {
  readonly connectionId: string;
  readonly method: 'POST' | 'GET' | 'DELETE';
  /** What a POST sends. */
  readonly payload?: Payload;
  /** @default true */
  readonly retriesThrottled?: boolean | undefined;
}

export interface Requester {
  /** Makes one request to `@connections`, with its retries. It never rejects. */
  request(request: ConnectionRequest, signal: AbortSignal | undefined): Promise<'ok' | NotSent>;
  close(): void;
}

/** AWS refuses a signature that is five minutes off. The SDKs blame the clock from four minutes on. */
const clockSkewMs = 240_000;

const noPayload: Payload = { bytes: new Uint8Array(), hash: sha256Hex('') };

/** Signs, sends and retries requests to one stage. */
export function createRequester(options: RequesterOptions): Requester {
  const { endpoint, region, now } = options;
  const pool = createPool(options);
  const retries = createRetries(options);
  const sign = createSigner({ region, service: 'execute-api' });
  const stagePath = endpoint.pathname.replace(/\/+$/, '');
  const credentials = createCredentials(options);
  let clockOffsetMs = 0;

  async function send(
    { connectionId, method, payload }: ConnectionRequest,
    identity: SigningCredentials,
    epochMs: number,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    const path = `${stagePath}/@connections/${encodeSegment(connectionId)}`;
    const contentType = payload && 'application/octet-stream';
    const { bytes, hash } = payload ?? noPayload;
    const signature = sign(
      { method, host: endpoint.host, path, contentType, payloadHash: hash },
      identity,
      epochMs,
    );
    const fromCredentials = `${signature.sessionToken ?? ''}${signature.authorization}`;
    if (/[^ -~]/.test(fromCredentials))
      throw new Error('The credentials hold a character that no header can.');
    const head =
      `${method} ${path} HTTP/1.1\r\nhost: ${endpoint.host}\r\nuser-agent: switchboard\r\n` +
      (contentType ? `content-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n` : '') +
      (signature.sessionToken ? `x-amz-security-token: ${signature.sessionToken}\r\n` : '') +
      `x-amz-date: ${signature.date}\r\nauthorization: ${signature.authorization}\r\n\r\n`;
    return await pool.send(head, bytes, signal);
  }

  /** Sets the clock by an answer that refuses the date of a signature. */
  function correctClock({ statusCode, headers }: HttpResponse, signedAtMs: number): boolean {
    if (statusCode !== 403) return false;
    const serverMs = Date.parse(headers.date ?? '');
    const isClockWrong = Math.abs(serverMs - signedAtMs) >= clockSkewMs;
    if (isClockWrong) clockOffsetMs = serverMs - now();
    return isClockWrong;
  }

  async function request(
    request: ConnectionRequest,
    signal: AbortSignal | undefined,
  ): Promise<'ok' | NotSent> {
    if (isImpossibleId(request.connectionId)) return impossibleId;
    let retry: Retry | undefined;
    for (let made = 0; ; made += 1) {
      let identity;
      try {
        identity = await credentials();
      } catch (error) {
        return credentialsFailed(error);
      }
      const signedAtMs = now() + clockOffsetMs;
      let response: HttpResponse | undefined;
      let outcome: 'ok' | NotSent;
      try {
        response = await send(request, identity, signedAtMs, signal);
        outcome = outcomeOf(response, correctClock(response, signedAtMs));
      } catch (error) {
        outcome = outcomeOfError(error, signal);
      }
      if (outcome === 'ok') {
        retries.succeeded(retry);
        return outcome;
      }
      if (outcome.outcome === 'throttled' && request.retriesThrottled === false) return outcome;
      retry = retries.next(outcome, made, response?.headers['retry-after']);
      if (!retry) return outcome;
      try {
        await wait(retry.delayMs, undefined, { signal });
      } catch (error) {
        return outcomeOfError(error, signal);
      }
    }
  }

  return { request, close: () => pool.close() };
}

/** The SDK's credential chain, which remembers credentials and refreshes them as they near their end. */
function createCredentials({
  endpoint,
  region,
  credentials,
}: RequesterOptions): () => Promise<SigningCredentials> {
  // This client sends nothing: a request through it costs about seven times the CPU.
  const { config } = new ApiGatewayManagementApiClient({
    endpoint: endpoint.origin,
    region,
    ...(credentials && { credentials }),
  });
  return () => config.credentials();
}
