import { randomBytes, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { FunctionEnvironment } from './function-environment.ts';
import type { FinishedOutcome, Outcome } from './function-environment.ts';
import { installCode } from './function-code.ts';
import type { FunctionSettings } from './function-settings.ts';
import type { Meter } from './meter.ts';
import type { Credentials } from './sigv4.ts';

export interface FunctionPoolOptions {
  readonly settings: FunctionSettings;
  readonly credentials: Required<Credentials>;
  readonly region: string;
  readonly endpoint: string;
  readonly meter: Meter;
  readonly onOutput: (text: string) => void;
}

/** Lambda would start a thousand; a laptop has fewer cores, so further events wait. */
const maxEnvironments = 8;

/** All environments of one function. Another one starts whenever an event comes and all are busy. */
export class FunctionPool {
  readonly #options: FunctionPoolOptions;
  readonly #idle: FunctionEnvironment[] = [];
  readonly #all = new Set<FunctionEnvironment>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #inFlight = 0;
  #closed = false;
  #code: { readonly folder: string; remove(): void } | undefined;

  constructor(options: FunctionPoolOptions) {
    this.#options = options;
  }

  async invoke(event: unknown): Promise<Outcome> {
    const { settings, meter } = this.#options;
    if (settings.reservedConcurrency !== undefined && this.#inFlight >= settings.reservedConcurrency) {
      meter.count(`lambda.${settings.logicalId}.throttles`);
      return { status: 'throttled' };
    }
    const text = JSON.stringify(event ?? null);
    this.#inFlight++;
    await this.#slot();
    try {
      meter.count(`lambda.${settings.logicalId}.invocations`);
      const outcome = await this.#run(text);
      if (outcome.status === 'error') meter.count(`lambda.${settings.logicalId}.errors`);
      return outcome;
    } finally {
      this.#inFlight--;
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((environment) => environment.close()));
    this.#code?.remove();
  }

  async #slot(): Promise<void> {
    if (this.#running >= maxEnvironments) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  async #run(event: string): Promise<FinishedOutcome> {
    if (this.#closed)
      return { status: 'error', errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime exited' };
    const { settings, meter } = this.#options;
    const startedAt = performance.now();
    const environment = this.#take();
    const outcome = await environment.invoke({
      event,
      context: this.#context(),
      traceId: `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`,
      timeoutSeconds: settings.timeoutSeconds,
    });
    if (environment.alive) this.#idle.push(environment);
    else this.#all.delete(environment);
    // Billed per started millisecond, loading the code included: https://aws.amazon.com/lambda/pricing/
    const billedMs = Math.ceil(performance.now() - startedAt);
    meter.count('lambda.gbSeconds', (billedMs / 1000) * (settings.memoryMb / 1024));
    return outcome;
  }

  /** The environment that was used last is the warmest. */
  #take(): FunctionEnvironment {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.alive) return idle;
      this.#all.delete(idle);
    }
    const { settings, meter, onOutput } = this.#options;
    meter.count(`lambda.${settings.logicalId}.coldStarts`);
    this.#code ??= installCode(settings);
    const environment = new FunctionEnvironment({
      folder: this.#code.folder,
      handlerName: settings.handler,
      variables: this.#variables(this.#code.folder),
      onOutput,
    });
    this.#all.add(environment);
    return environment;
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
  #variables(folder: string): Readonly<Record<string, string>> {
    const { settings, credentials, region, endpoint } = this.#options;
    return {
      AWS_ENDPOINT_URL: endpoint,
      // The functions run on this machine's Node, whichever the template names.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...settings.variables,
      _HANDLER: settings.handler,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${settings.runtime}`,
      AWS_LAMBDA_FUNCTION_NAME: settings.name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: logStream,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      LAMBDA_TASK_ROOT: folder,
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
    };
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
  #context(): Readonly<Record<string, unknown>> {
    const { settings } = this.#options;
    return {
      functionName: settings.name,
      functionVersion: '$LATEST',
      invokedFunctionArn: settings.arn,
      memoryLimitInMB: String(settings.memoryMb),
      awsRequestId: randomUUID(),
      logGroupName: settings.logGroup,
      logStreamName: logStream,
    };
  }
}

const logStream = 'local/[$LATEST]';
