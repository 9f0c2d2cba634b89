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

/** One process of an app. */
export interface Synthesis {
  readonly result: Promise<SynthesisResult>;
  /** Ends the process, and those that it has started. */
  end(): void;
}

/** Starts the app. `environment` is added to that of this process. */
export function startSynthesis(
  { command, folder, context, assembly }: CdkApp,
  environment: Readonly<Record<string, string>> = {},
): Synthesis {
  const child = spawn(command, {
    shell: true,
    cwd: folder,
    // A group of its own: a shell and npx do not pass signals on.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...environment,
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
      code === 0
        ? { ok: true }
        : { ok: false, complaint: complaintOf(output) || `${command} failed without a message.` },
  );
  return {
    result,
    end() {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGTERM');
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
