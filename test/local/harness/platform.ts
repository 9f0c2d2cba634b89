import { createServer, type IncomingMessage } from 'node:http';
import { afterAll } from 'vitest';
import { type Clock, createClock } from '../../../local/clock.ts';
import { Faults } from '../../../local/faults/faults.ts';
import type { FaultSettings } from '../../../local/faults/settings.ts';
import { createGrantUse } from '../../../local/iam/grant-use.ts';
import { createFunctions, type Functions } from '../../../local/lambda/functions.ts';
import { createLog } from '../../../local/log.ts';
import { createMeter, type Meter } from '../../../local/meter.ts';
import { developer } from '../../../local/iam/roles.ts';
import { type Services, startServices } from '../../../local/services/services.ts';
import { KeyRing } from '../../../local/sigv4/key-ring.ts';
import type { HttpRequest } from '../../../local/sigv4/request.ts';
import { type Deployment, loadDeployment } from '../../../local/template/template.ts';

export interface Platform {
  readonly deployment: Deployment;
  readonly functions: Functions;
  readonly keys: KeyRing;
  readonly meter: Meter;
  /** What the functions have printed. */
  readonly output: readonly string[];
  /** The lines of the log: deliveries of rules and schedules. */
  readonly lines: readonly string[];
  /** For any SDK client, with the developer's keys. */
  readonly client: ClientConfig;
  /** For any SDK client, in the role of a function. */
  clientOf(functionId: string): ClientConfig;
  close(): Promise<void>;
}

interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly maxAttempts: number;
}

const open: (() => Promise<void>)[] = [];
afterAll(() => closeAll(open));

/** Runs an assembly behind a bare HTTP server, and ends it after the file's tests. */
export async function startPlatform(
  assembly: string,
  options: {
    readonly dataDir?: string;
    /** What the generated secrets hold. */
    readonly secret?: string;
    /** @default - one that runs at `clockSpeed` */
    readonly clock?: Clock;
    readonly clockSpeed?: number;
    readonly faults?: Partial<FaultSettings>;
  } = {},
): Promise<Platform> {
  const behind: { services?: Services } = {};
  const server = createServer((request, response) => {
    void read(request).then(async (received) => {
      const reply = await behind.services?.handle(received);
      response.writeHead(reply?.status ?? 503, reply?.headers).end(reply?.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${String(typeof address === 'object' && address ? address.port : 0)}`;
  const closers: (() => Promise<unknown>)[] = [
    () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  ];
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeAll(closers));
  open.push(close);

  const deployment = loadDeployment(assembly, endpoint);
  const issued = new Map<string, ClientConfig['credentials']>();
  const keys = new KeyRing(deployment.region);
  const issue = keys.issue.bind(keys);
  keys.issue = (principal) => {
    const credentials = issue(principal);
    issued.set(principal.name, credentials);
    return credentials;
  };
  keys.add(developer(deployment.accountId), { accessKeyId: 'local', secretAccessKey: 'local' });
  const meter = createMeter();
  const output: string[] = [];
  const lines: string[] = [];
  const {
    clock = createClock(options.clockSpeed ?? 1),
    faults: given,
    dataDir,
    secret = 'platform',
  } = options;
  const faults = new Faults(given ?? {}, clock, meter);
  const onOutput = (_: string, text: string) => output.push(text);
  const grantUse = createGrantUse();
  const functions = createFunctions({ deployment, keys, grantUse, meter, faults, onOutput });
  closers.unshift(() => functions.close());
  const services = await startServices({
    deployment,
    keys,
    functions,
    meter,
    clock,
    faults,
    log: createLog(Date.now, (line) => lines.push(line)),
    now: Date.now,
    secret,
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  behind.services = services;
  closers.unshift(() => services.close());

  const common = { endpoint, region: deployment.region, maxAttempts: 1 };
  return {
    deployment,
    functions,
    keys,
    meter,
    output,
    lines,
    client: { ...common, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } },
    clientOf(functionId) {
      const credentials = issued.get(deployment.physicalId(functionId));
      if (credentials === undefined) throw new Error(`There is no function ${functionId}.`);
      return { ...common, credentials };
    },
    close,
  };
}

async function closeAll(closers: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const close of closers) await close();
}

async function read(request: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  const { method = 'GET', url = '/', headers } = request;
  return { method, url, headers, body: Buffer.concat(chunks) };
}
