import { Agent, request } from 'node:https';
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { createConnectionsClient } from '../../core/connections/client.ts';
import { createSigner, encodeSegment, sha256Hex } from '../../core/connections/signer.ts';

/** One way to post the same bytes to many connections. */
export interface Peer {
  readonly name: string;
  /** Posts per round. Slow peers make fewer posts, to keep a run short. */
  readonly posts: number;
  run(connectionIds: readonly string[]): Promise<void>;
  close(): unknown;
}

export interface Target {
  readonly endpoint: string;
  readonly cert: string;
  readonly payload: Buffer;
}

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const region = 'us-east-1';
const concurrency = 100;

export const peerNames = {
  ours: 'connections client',
  undici: 'undici, signed',
  https: 'node:https, signed',
  tuned: 'node:https, tuned',
  sdk: 'SDK client, defaults',
  sample: 'AWS sample, Promise.all',
} as const;

export function createPeers(target: Target): Peer[] {
  return [
    ours(target),
    undici(target),
    nodeHttps(target, false),
    nodeHttps(target, true),
    sdkDefault(target),
    awsSample(target),
  ];
}

function ours({ endpoint, cert, payload }: Target): Peer {
  // On a busy machine, a hundred simultaneous TLS handshakes can exceed the default.
  const timeoutMs = 60_000;
  const connections = createConnectionsClient({ endpoint, region, credentials, timeoutMs, ca: cert });
  return {
    name: peerNames.ours,
    posts: 2_000,
    async run(connectionIds) {
      const { sent } = await connections.postAll(connectionIds, connections.prepare(payload), {
        concurrency,
      });
      if (sent !== connectionIds.length) throw new Error(`Only ${sent} posts were sent.`);
    },
    close: () => connections.close(),
  };
}

function sdkDefault(target: Target): Peer {
  const client = sdkClient(target);
  return {
    name: peerNames.sdk,
    posts: 500,
    run: (connectionIds) => bounded(connectionIds, (id) => client.send(postCommand(id, target.payload))),
    close: () => client.destroy(),
  };
}

/** Starts one promise per recipient, all at once, as aws-samples/simple-websockets-chat-app does. */
function awsSample(target: Target): Peer {
  const client = sdkClient(target);
  return {
    name: peerNames.sample,
    posts: 1_000,
    async run(connectionIds) {
      await Promise.all(connectionIds.map((id) => client.send(postCommand(id, target.payload))));
    },
    close: () => client.destroy(),
  };
}

/** Posts with `node:https` in the least code, without retries, time-outs and outcomes. */
function nodeHttps(target: Target, isTuned: boolean): Peer {
  const { hostname, port } = new URL(target.endpoint);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: concurrency,
    maxFreeSockets: concurrency,
    scheduling: 'lifo',
    ca: target.cert,
  });
  // By default Node builds a connection's key from all TLS options, three times per request.
  if (isTuned) agent.getName = () => 'one endpoint';
  // Node writes a text body together with the head, but a body of bytes separately.
  const text = target.payload.toString('latin1');
  const sign = createRequestSigner(target);
  const post = (connectionId: string) =>
    new Promise<void>((resolve, reject) => {
      const { path, headers } = sign(connectionId);
      // Without this header, Node sends the body in chunks.
      headers.push('content-length', String(target.payload.length));
      const sent = request({ agent, hostname, port, path, method: 'POST', headers });
      sent.on('response', (response) => {
        if (response.statusCode !== 200) reject(new Error(`Answered ${response.statusCode}.`));
        response.on('end', resolve).resume();
      });
      sent.on('error', reject);
      if (isTuned) sent.end(text, 'latin1');
      else sent.end(target.payload);
    });
  return {
    name: isTuned ? peerNames.tuned : peerNames.https,
    posts: 2_000,
    run: (connectionIds) => bounded(connectionIds, post),
    close: () => agent.destroy(),
  };
}

/** Posts with undici in the least code. */
function undici(target: Target): Peer {
  const { origin } = new URL(target.endpoint);
  const agent = createUndiciAgent({ connections: concurrency, connect: { ca: target.cert } });
  const sign = createRequestSigner(target);
  const post = (connectionId: string) =>
    new Promise<void>((resolve, reject) => {
      const handler: UndiciHandler = {
        onConnect: () => undefined,
        onHeaders: (status) => status === 200,
        onData: () => true,
        onComplete: () => resolve(),
        onError: reject,
      };
      agent.dispatch({ origin, method: 'POST', body: target.payload, ...sign(connectionId) }, handler);
    });
  return {
    name: peerNames.undici,
    posts: 2_000,
    run: (connectionIds) => bounded(connectionIds, post),
    close: () => agent.destroy(),
  };
}

/** Signs with our signer, so that the peers differ only in how they send. */
function createRequestSigner({ endpoint, payload }: Target) {
  const { host, pathname } = new URL(endpoint);
  const sign = createSigner({ region, service: 'execute-api' });
  const contentType = 'application/octet-stream';
  const payloadHash = sha256Hex(payload);
  return (connectionId: string) => {
    const path = `${pathname}/@connections/${encodeSegment(connectionId)}`;
    const signed = { method: 'POST', host, path, contentType, payloadHash };
    const { date, authorization } = sign(signed, credentials, Date.now());
    const headers = ['host', host, 'content-type', contentType, 'x-amz-date', date];
    headers.push('authorization', authorization);
    return { path, headers };
  };
}

function sdkClient({ endpoint, cert }: Target): ApiGatewayManagementApiClient {
  return new ApiGatewayManagementApiClient({
    endpoint,
    region,
    credentials,
    requestHandler: { httpsAgent: { ca: cert } },
  });
}

function postCommand(connectionId: string, payload: Buffer): PostToConnectionCommand {
  return new PostToConnectionCommand({ ConnectionId: connectionId, Data: payload });
}

async function bounded(ids: readonly string[], post: (id: string) => Promise<unknown>): Promise<void> {
  const source = ids.values();
  const worker = async () => {
    for (const id of source) await post(id);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** The parts of undici's dispatch interface that a bare POST needs. */
interface UndiciHandler {
  onConnect(): void;
  onHeaders(status: number): boolean;
  onData(): boolean;
  onComplete(): void;
  onError(error: Error): void;
}

interface UndiciAgent {
  dispatch(request: object, handler: UndiciHandler): boolean;
  destroy(): Promise<void>;
}

/** The undici inside Node, which `fetch` uses. Its dispatcher is reachable only through undici's own symbol. */
function createUndiciAgent(options: object): UndiciAgent {
  void fetch('data:,'); // Loads undici.
  const dispatcher: unknown = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1'));
  if (typeof dispatcher !== 'object' || !dispatcher)
    throw new Error('This Node has no undici to compare with.');
  return Reflect.construct(dispatcher.constructor, [options]) as UndiciAgent;
}
