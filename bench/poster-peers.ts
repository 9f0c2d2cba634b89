import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { createConnectionsClient } from '../core/connections/client.ts';
import { createSigner, encodeSegment, sha256Hex } from '../core/connections/signer.ts';

/** One way to post the same bytes to many connections. */
export interface Peer {
  readonly name: string;
  /** Posts per round; the slow ones do fewer, so that a run stays short. */
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

export function createPeers(target: Target): Peer[] {
  return [
    sdkDefault(target),
    awsSample(target),
    ours(target),
    rawUndici(target, true),
    rawUndici(target, false),
  ];
}

export const peerNames = {
  sdk: 'SDK client, defaults',
  sample: 'AWS sample, Promise.all',
  ours: 'Switchboard poster',
  signed: 'raw undici, signed',
  unsigned: 'raw undici, unsigned',
} as const;

function ours({ endpoint, cert, payload }: Target): Peer {
  const poster = createConnectionsClient({ endpoint, region, credentials, ca: cert });
  return {
    name: peerNames.ours,
    posts: 5_000,
    async run(connectionIds) {
      const { sent } = await poster.postAll(connectionIds, poster.prepare(payload), { concurrency });
      if (sent !== connectionIds.length) throw new Error(`Only ${sent} posts were sent.`);
    },
    close: () => poster.close(),
  };
}

function sdkDefault(target: Target): Peer {
  const client = sdkClient(target);
  return {
    name: peerNames.sdk,
    posts: 2_000,
    run: (connectionIds) => bounded(connectionIds, (id) => client.send(postCommand(id, target.payload))),
    close: () => client.destroy(),
  };
}

/** As in aws-samples/simple-websockets-chat-app: one promise for each recipient, all at once. */
function awsSample(target: Target): Peer {
  const client = sdkClient(target);
  return {
    name: peerNames.sample,
    posts: 4_000,
    async run(connectionIds) {
      await Promise.all(connectionIds.map((id) => client.send(postCommand(id, target.payload))));
    },
    close: () => client.destroy(),
  };
}

function rawUndici({ endpoint, cert, payload }: Target, isSigned: boolean): Peer {
  const { host, origin, pathname } = new URL(endpoint);
  const agent = createUndiciAgent({ connections: concurrency, connect: { ca: cert } });
  const sign = createSigner({ region, service: 'execute-api' });
  const contentType = 'application/octet-stream';
  const payloadHash = sha256Hex(payload);
  const post = (connectionId: string) =>
    new Promise<void>((resolve, reject) => {
      const path = `${pathname}/@connections/${encodeSegment(connectionId)}`;
      const headers = ['host', host, 'content-type', contentType];
      if (isSigned) {
        const request = { method: 'POST', host, path, contentType, payloadHash };
        const { date, authorization } = sign(request, credentials, Date.now());
        headers.push('x-amz-date', date, 'authorization', authorization);
      }
      const handler: UndiciHandler = {
        onConnect: () => undefined,
        onHeaders: (status) => status === 200,
        onData: () => true,
        onComplete: () => resolve(),
        onError: reject,
      };
      agent.dispatch({ origin, path, method: 'POST', headers, body: payload }, handler);
    });
  return {
    name: isSigned ? peerNames.signed : peerNames.unsigned,
    posts: 5_000,
    run: (connectionIds) => bounded(connectionIds, post),
    close: () => agent.destroy(),
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

/** The undici inside Node, which `fetch` uses; its dispatcher is only reachable by undici's own well-known symbol. */
function createUndiciAgent(options: object): UndiciAgent {
  void fetch('data:,'); // Loads it.
  const dispatcher: unknown = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1'));
  if (typeof dispatcher !== 'object' || !dispatcher)
    throw new Error('This Node has no undici to compare with.');
  return Reflect.construct(dispatcher.constructor, [options]) as UndiciAgent;
}
