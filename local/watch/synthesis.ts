import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** How to synthesise a CDK app. */
export interface CdkApp {
  /** As in cdk.json: a command for the shell, such as `npx tsx bin/app.ts`. */
  readonly command: string;
  /** The folder that the command runs in. */
  readonly folder: string;
  /** The values that `cdk.json` and `-c` give. */
  readonly context: Readonly<Record<string, unknown>>;
  /** The folder of the assembly. */
  readonly assembly: string;
}

export type SynthesisResult =
  | { readonly ok: true }
  /** What the app wrote to its standard error. */
  | { readonly ok: false; readonly complaint: string };

/** Runs a CDK app again and again. */
export interface Synthesis {
  /** Starts a process that loads the CDK and waits for the next run. That is most of the time of a synthesis. */
  prepare(): void;
  run(): Promise<SynthesisResult>;
  close(): void;
}

const standby = new URL('./standby.mjs', import.meta.url).href;

export function createSynthesis(app: CdkApp): Synthesis {
  let waiting: AppProcess | undefined;
  let running: AppProcess | undefined;
  return {
    prepare() {
      waiting ??= start(app);
    },
    async run() {
      running = waiting ?? start(app);
      waiting = undefined;
      return running.run();
    },
    close() {
      waiting?.end();
      running?.end();
    },
  };
}

interface AppProcess {
  run(): Promise<SynthesisResult>;
  end(): void;
}

function start({ command, folder, context, assembly }: CdkApp): AppProcess {
  const { NODE_OPTIONS: options = '' } = process.env;
  const child = spawn(command, {
    shell: true,
    cwd: folder,
    // A group of its own: a shell and npx do not pass signals on.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: `${options} --import ${standby}`.trim(),
      SWITCHBOARD_STANDBY: '1',
      CDK_OUTDIR: assembly,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      CDK_DEFAULT_ACCOUNT: '000000000000',
      CDK_DEFAULT_REGION: 'us-east-1',
      // Validation takes five times as long as the rest of a synthesis. It runs before a deployment.
      CDK_VALIDATION: 'false',
    },
  });
  const result = Promise.all([text(child.stderr), once(child, 'close')]).then(
    ([output, [code]]): SynthesisResult =>
      code === 0 ? { ok: true } : { ok: false, complaint: complaintOf(output) },
  );
  // A command that fails at once ends before it reads its input. Its result says why.
  child.stdin.on('error', () => undefined);
  return {
    run() {
      child.stdin.end('\n');
      return result;
    },
    end() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    },
  };
}

/** Standard error without the progress of assets, and without the minified line of the CDK that threw. */
function complaintOf(output: string): string {
  const lines = output
    .split('\n')
    .filter((line) => !line.startsWith('Bundling asset ') && line.length < 1000);
  return lines.join('\n').trim();
}
