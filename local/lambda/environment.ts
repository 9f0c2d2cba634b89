import { Worker } from 'node:worker_threads';
import { asRecord, asText } from '../json.ts';

export type Outcome =
  | { readonly status: 'ok'; readonly payload: unknown }
  | { readonly status: 'error'; readonly errorType: string; readonly errorMessage: string }
  /** Above the reserved concurrency. The function never got the event. */
  | { readonly status: 'throttled' };

export type FinishedOutcome = Exclude<Outcome, { status: 'throttled' }>;

/** One event for an environment. Event and result cross as JSON text, as on Lambda. */
export interface Invocation {
  readonly event: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  readonly timeoutSeconds: number;
}

export interface EnvironmentOptions {
  /** The private copy of the function's code. */
  readonly folder: string;
  readonly handlerName: string;
  readonly memoryMb: number;
  /** The address of this cloud, which gets every call of a host of AWS. */
  readonly endpoint: string;
  /** All variables of the function. No variable of this process reaches it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onOutput: (text: string) => void;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: ten seconds to load the code. */
const initTimeoutSeconds = 10;

/** An execution environment of one function: a worker thread with its own variables. It runs one event at a time. */
export class FunctionEnvironment {
  readonly #worker: Worker;
  readonly #ready: Promise<FinishedOutcome | 'ready'>;
  readonly #options: EnvironmentOptions;
  #settle: (message: Message) => void = () => undefined;
  #last: FinishedOutcome | undefined;
  #alive = true;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: {
        folder: options.folder,
        handlerName: options.handlerName,
        endpoint: options.endpoint,
      },
      env: { ...options.variables },
      // On Lambda this limits the whole process. Here it limits the heap, which is likely to grow.
      resourceLimits: { maxOldGenerationSizeMb: options.memoryMb },
      // A function must not inherit the TypeScript loader of this process.
      execArgv: [],
    });
    this.#worker.on('message', (message: unknown) => {
      this.#receive(asRecord(message));
    });
    this.#worker.on('error', (error: unknown) => {
      // As on Lambda, the log gets the trace of an error that nothing has caught.
      options.onOutput(`Uncaught ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      this.#die(crash(error));
    });
    this.#worker.on('exit', (code) => {
      const errorMessage = `Error: Runtime exited with error: exit status ${String(code)}`;
      this.#die({ status: 'error', errorType: 'Runtime.ExitError', errorMessage });
    });
    this.#ready = this.#next(initTimeoutSeconds).then((message) =>
      message.ready ? 'ready' : message.outcome,
    );
  }

  /** False after a crash or a time-out. The next event needs another environment. */
  get alive(): boolean {
    return this.#alive;
  }

  async invoke({ timeoutSeconds, event, context, traceId }: Invocation): Promise<FinishedOutcome> {
    const ready = await this.#ready;
    if (ready !== 'ready') return ready;
    if (!this.#alive) return this.#last ?? closed;
    const answer = this.#next(timeoutSeconds);
    // As on Lambda, the time of the function starts when its code is loaded.
    const deadlineMs = Date.now() + timeoutSeconds * 1000;
    this.#worker.postMessage({ event, context: { ...context, deadlineMs }, traceId });
    const message = await answer;
    return message.ready ? closed : message.outcome;
  }

  /** Ends the environment in the middle of its work, as a failing machine would. */
  kill(): void {
    this.#die(failure('Runtime.ExitError', 'Error: Runtime exited with error: signal: killed'));
  }

  async close(): Promise<void> {
    this.#die(closed);
    await this.#worker.terminate();
  }

  #next(timeoutSeconds: number): Promise<Message> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const errorMessage = `Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
        this.#die({ status: 'error', errorType: 'Sandbox.Timedout', errorMessage });
      }, timeoutSeconds * 1000);
      this.#settle = (message) => {
        clearTimeout(timer);
        resolve(message);
      };
    });
  }

  #receive(message: Readonly<Record<string, unknown>>): void {
    if (message.type === 'output') this.#options.onOutput(asText(message.text) ?? '');
    else if (message.type === 'ready') this.#settle({ ready: true });
    else if (message.type === 'result')
      this.#settle({ ready: false, outcome: result(asText(message.payload) ?? 'null') });
    else {
      const { errorType, errorMessage } = asRecord(message.error);
      const outcome = failure(asText(errorType) ?? 'Error', asText(errorMessage) ?? '');
      if (message.type === 'failed') this.#die(outcome);
      else this.#settle({ ready: false, outcome });
    }
  }

  #die(outcome: FinishedOutcome): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#last = outcome;
    this.#settle({ ready: false, outcome });
    void this.#worker.terminate();
  }
}

type Message = { readonly ready: true } | { readonly ready: false; readonly outcome: FinishedOutcome };

const closed: FinishedOutcome = failure('Runtime.ExitError', 'Error: Runtime exited');

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB each for request and response. */
export const maxPayloadBytes = 6 * 1024 * 1024;

function result(payload: string): FinishedOutcome {
  if (Buffer.byteLength(payload) > maxPayloadBytes) {
    const limit = `(${String(maxPayloadBytes)} bytes).`;
    return failure(
      'Function.ResponseSizeTooLarge',
      `Response payload size exceeded maximum allowed payload size ${limit}`,
    );
  }
  return { status: 'ok', payload: JSON.parse(payload) as unknown };
}

function crash(error: unknown): FinishedOutcome {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return failure('Runtime.OutOfMemory', 'Error: Runtime exited with error: signal: killed');
  }
  return error instanceof Error ? failure(error.name, error.message) : failure(typeof error, String(error));
}

function failure(errorType: string, errorMessage: string): FinishedOutcome {
  return { status: 'error', errorType, errorMessage };
}
