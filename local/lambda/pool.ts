import { randomBytes, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Faults } from '../faults/faults.ts';
import { type FinishedOutcome, FunctionEnvironment, type Outcome } from './environment.ts';
import { installCode, type InstalledCode } from './code.ts';
import { FairQueue } from './fair-queue.ts';
import type { FunctionSettings } from './settings.ts';
import { contextOf, variablesOf } from './variables.ts';
import type { Meter } from '../meter.ts';
import type { Credentials } from '../sigv4/key-ring.ts';

export interface FunctionPoolOptions {
  readonly settings: FunctionSettings;
  readonly credentials: Required<Credentials>;
  readonly region: string;
  readonly endpoint: string;
  readonly meter: Meter;
  readonly faults: Faults;
  readonly onOutput: (text: string) => void;
}

/** Lambda would start a thousand. A laptop has fewer cores, so further events wait. */
const maxEnvironments = 8;

const killedWithinMs = 50;

/** All environments of one function. If all are busy, the next event starts another one. */
export class FunctionPool {
  readonly #options: FunctionPoolOptions;
  readonly #code: InstalledCode;
  readonly #idle: FunctionEnvironment[] = [];
  readonly #all = new Set<FunctionEnvironment>();
  readonly #waiting = new FairQueue<() => void>();
  #running = 0;
  #inFlight = 0;
  #closed = false;
  #idled: () => void = () => undefined;

  constructor(options: FunctionPoolOptions) {
    this.#options = options;
    // Not later, with the first event: by then another synthesis may have replaced the assembly.
    this.#code = installCode(options.settings);
  }

  /** Events of the same lane take turns with those of others, if they must wait. */
  async invoke(event: unknown, lane: unknown): Promise<Outcome> {
    const { settings, meter } = this.#options;
    if (settings.reservedConcurrency !== undefined && this.#inFlight >= settings.reservedConcurrency) {
      meter.count(`lambda.${settings.logicalId}.throttles`);
      return { status: 'throttled' };
    }
    const text = JSON.stringify(event ?? null);
    this.#inFlight++;
    await this.#slot(lane);
    try {
      meter.count(`lambda.${settings.logicalId}.invocations`);
      const outcome = await this.#run(text);
      if (outcome.status === 'error') meter.count(`lambda.${settings.logicalId}.errors`);
      return outcome;
    } finally {
      this.#inFlight--;
      this.#freeSlot();
      if (this.#inFlight === 0) this.#idled();
    }
  }

  /** Lets the events that run or wait finish, then closes. */
  async retire(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idled = resolve));
    await this.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((environment) => environment.close()));
    this.#code.remove();
  }

  async #slot(lane: unknown): Promise<void> {
    if (this.#running < maxEnvironments) this.#running++;
    else
      await new Promise<void>((resolve) => {
        this.#waiting.push(lane, resolve);
      });
  }

  /** Gives the slot to the event whose turn it is. No other event can take it in between. */
  #freeSlot(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }

  async #run(event: string): Promise<FinishedOutcome> {
    if (this.#closed)
      return { status: 'error', errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime exited' };
    const { settings, meter } = this.#options;
    const startedAt = performance.now();
    const environment = this.#take();
    const spare = this.#killLater(environment);
    const outcome = await environment.invoke({
      event,
      context: contextOf(settings, randomUUID()),
      traceId: `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`,
      timeoutSeconds: settings.timeoutSeconds,
    });
    spare();
    if (environment.alive) this.#idle.push(environment);
    else this.#all.delete(environment);
    // Billed per started millisecond, loading the code included: https://aws.amazon.com/lambda/pricing/
    const billedMs = Math.ceil(performance.now() - startedAt);
    meter.count('lambda.gbSeconds', (billedMs / 1000) * (settings.memoryMb / 1024));
    return outcome;
  }

  /** Injects a fault: kills the environment at a random moment. The returned function cancels it. */
  #killLater(environment: FunctionEnvironment): () => void {
    const { faults } = this.#options;
    if (!faults.isDue('killedFunction')) return () => undefined;
    const timer = setTimeout(
      () => {
        faults.count('killedFunction');
        environment.kill();
      },
      faults.between('killedFunction', 0, killedWithinMs),
    );
    return () => {
      clearTimeout(timer);
    };
  }

  /** Takes the environment that was used last: it is the warmest. */
  #take(): FunctionEnvironment {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.alive) return idle;
      this.#all.delete(idle);
    }
    const { settings, endpoint, meter, onOutput } = this.#options;
    meter.count(`lambda.${settings.logicalId}.coldStarts`);
    const environment = new FunctionEnvironment({
      folder: this.#code.folder,
      handlerName: settings.handler,
      memoryMb: settings.memoryMb,
      endpoint,
      variables: variablesOf(this.#options, this.#code.folder),
      onOutput,
    });
    this.#all.add(environment);
    return environment;
  }
}
