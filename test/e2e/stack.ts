import { inject } from 'vitest';
import { type Cloud, type CloudOptions, startCloud } from '../../local/index.ts';
import { sendSigned } from '../../publisher/signed-request.ts';
import { signToken as signTokenWith, type TokenRequest } from '../../cli/sign-token.ts';
import { Client } from './client.ts';

/** What the generated secrets of a test's stack hold. The one that signs tokens has this length. */
export const stackSecret = 'stack'.repeat(13).slice(0, 64);

/** A token for a stack of `startStack`. */
export function signToken(request: TokenRequest): Promise<string> {
  return signTokenWith(stackSecret, request);
}

export interface User extends Partial<TokenRequest> {
  readonly user: string;
}

/** The stack of this repository on a laptop cloud, on a free port. */
export interface Stack {
  readonly cloud: Cloud;
  readonly url: string;
  /** The log lines of the cloud. */
  readonly lines: string[];
  webSocketUrl(user: User): Promise<string>;
  connect(user: User): Promise<Client>;
  /** Calls the HTTP API with a signature. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  publish(body: Record<string, unknown>): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

export async function startStack(options: Partial<CloudOptions> = {}): Promise<Stack> {
  const lines: string[] = [];
  const cloud = await startCloud({
    assembly: inject('assembly'),
    site: inject('site'),
    port: 0,
    secret: stackSecret,
    onLog: (line) => lines.push(line),
    ...options,
  });
  const clients: Client[] = [];

  async function webSocketUrl(user: User): Promise<string> {
    const token = await signToken({
      type: 'member',
      tenant: 'default',
      topics: [],
      ttlSeconds: 3600,
      ...user,
    });
    return `${cloud.url.replace('http', 'ws')}/live?token=${token}`;
  }

  async function call(method: string, path: string, body?: unknown) {
    const url = new URL(path, cloud.url);
    const text = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await sendSigned({ method, url, ...text });
    return { status: response.status, body: await response.json() };
  }

  return {
    cloud,
    url: cloud.url,
    lines,
    webSocketUrl,
    async connect(user) {
      const client = await Client.open(await webSocketUrl(user));
      clients.push(client);
      return client;
    },
    call,
    publish: (body) => call('POST', '/publish', body),
    async close() {
      for (const { socket } of clients) socket.terminate();
      await cloud.close();
    },
  };
}
