import { randomBytes } from 'node:crypto';
import { createApis } from './apis.ts';
import { createClock } from './clock.ts';
import { Faults } from './faults/faults.ts';
import type { FaultSettings } from './faults/settings.ts';
import { startHttpServer } from './http-server.ts';
import { createFunctions } from './lambda/functions.ts';
import type { Gateway } from './gateway/gateway.ts';
import { createIds } from './gateway/ids.ts';
import { createLog } from './log.ts';
import { createMeter, type Meter } from './meter.ts';
import { createGrantUse, type DeniedCall, type Grant } from './iam/grant-use.ts';
import { developer } from './iam/roles.ts';
import { readOrigins } from './loopback.ts';
import { createRouter } from './router.ts';
import { newSecret } from './services/secrets.ts';
import { startServices } from './services/services.ts';
import { KeyRing } from './sigv4/key-ring.ts';
import { loadDeployment, type Deployment } from './template/template.ts';
import { defaultLimits } from './websocket/connection.ts';

export interface CloudOptions {
  /** The cloud assembly to run: `cdk.out`. */
  readonly assembly: string;
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  /** The stacks to run, by name. @default - all stacks of the assembly */
  readonly stacks?: readonly string[];
  /** Values for parameters of the templates. @default - their defaults */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Refuses a stack with a resource of a type that does not run here. @default false */
  readonly strict?: boolean;
  /** Keeps the tables in this folder. Other users of the machine must not be able to open it. @default - in memory */
  readonly dataDir?: string;
  /** How many times faster than real time the limits run, unless `faults` say. @default 1 */
  readonly clockSpeed?: number;
  /** The faults to inject. `PUT /_local/faults` replaces them. @default - none */
  readonly faults?: Partial<FaultSettings>;
  /** Origins whose pages may call the cloud, such as `https://app.example.com`. @default - only pages of this machine */
  readonly allowOrigins?: readonly string[];
  /**
   * What the generated secrets of the template hold, cut or repeated to the length of each. With 64 characters, it is the
   * secret that signs tokens. @default - a random one
   */
  readonly secret?: string;
  /** A folder of static files, for paths without a route. @default - none */
  readonly site?: string;
  /** Gets one line for each request, and each line that a function writes. @default - no log */
  readonly onLog?: (line: string) => void;
  /** Closes a WebSocket connection after this time without a message. @default 10 minutes, as on AWS */
  readonly idleTimeoutMs?: number;
  /** Closes a WebSocket connection of this age. @default 2 hours, as on AWS */
  readonly lifetimeMs?: number;
}

export interface Cloud {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly port: number;
  readonly meter: Meter;
  /** What the generated secrets of the template hold. */
  readonly secret: string;
  /** What runs now. */
  readonly deployment: Deployment;
  /** The grants of the functions, with the number of calls that each has allowed. An unused grant has 0. */
  grants(): readonly Grant[];
  /** The calls of functions that their roles did not allow. */
  deniedCalls(): readonly DeniedCall[];
  /**
   * Runs another version of the assembly. Connections stay open, and tables and queues keep their items. Throws a
   * TemplateError for an assembly that cannot run; the version before it then runs on.
   */
  update(assembly: string): Promise<void>;
  /** Closes sockets, functions and engines. A second call waits for the first. */
  close(): Promise<void>;
}

/** At a shutdown, `$disconnect` functions may run for so long. */
const shutdownGraceMs = 2000;

/** Runs an assembly on one loopback port. Rejects with an error for the user (`isStartError`), which is one line. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const clock = createClock(options.clockSpeed ?? 1);
  const meter = createMeter();
  const faults = new Faults(options.faults ?? {}, clock, meter);
  const log = createLog(Date.now, options.onLog);
  const allowedOrigins = readOrigins(options.allowOrigins ?? []);
  const { secret = newSecret(randomBytes) } = options;
  const server = await startHttpServer(options.port, log, allowedOrigins);
  const { port } = server;
  // Parts close in the reverse order of their start.
  const closers: (() => Promise<void>)[] = [() => server.close()];
  const shutDown = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };

  try {
    const url = `http://127.0.0.1:${String(port)}`;
    let deployment = loadDeployment(options.assembly, url, options);
    const keys = new KeyRing(deployment.region);
    keys.add(developer(deployment.accountId), { accessKeyId: 'local', secretAccessKey: 'local' });
    const onOutput = (functionName: string, text: string): void => {
      log.output(functionName, text);
    };
    const grantUse = createGrantUse();
    const functions = createFunctions({ deployment, keys, grantUse, meter, faults, onOutput });
    closers.push(() => functions.close());

    const limits = {
      idleTimeoutMs: options.idleTimeoutMs ?? defaultLimits.idleTimeoutMs,
      lifetimeMs: options.lifetimeMs ?? defaultLimits.lifetimeMs,
    };
    const parts = { functions, keys, meter, clock, faults, log, now: Date.now };
    const ids = createIds(randomBytes);
    const gatewayOf = (next: Deployment): Gateway => ({ ...parts, ids, deployment: next });
    const apis = createApis(gatewayOf(deployment), limits);

    const dataDir = options.dataDir === undefined ? {} : { dataDir: options.dataDir };
    const services = await startServices({ ...parts, deployment, secret, ...dataDir });
    closers.push(() => services.close());
    closers.push(() => apis.close(shutdownGraceMs));
    const serve = (): void => {
      const { webSocketApis, httpApis } = apis;
      const gateway = gatewayOf(deployment);
      server.serve(createRouter({ gateway, services, webSocketApis, httpApis, site: options.site }));
    };
    serve();

    async function update(assembly: string): Promise<void> {
      const next = loadDeployment(assembly, url, options);
      // Each part reads the whole version before any part changes.
      const deployFunctions = functions.prepare(next);
      const deployApis = apis.prepare(gatewayOf(next));
      const deployServices = await services.prepare(next);
      deployFunctions();
      deployServices();
      await deployApis();
      deployment = next;
      serve();
    }

    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= shutDown());
    return {
      url,
      port,
      meter,
      secret,
      get deployment() {
        return deployment;
      },
      grants: () => grantUse.grants(deployment),
      deniedCalls: () => grantUse.denied(),
      update,
      close,
    };
  } catch (error) {
    await shutDown();
    throw error;
  }
}
