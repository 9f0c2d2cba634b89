import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Stub {
  /** The endpoint that answers after `delayMs`. */
  endpoint(delayMs: number): string;
  readonly cert: string;
  close(): void;
}

/** Starts `tls-stub.ts` in its own process, so that its CPU time is not measured. */
export async function startStub(): Promise<Stub> {
  const script = fileURLToPath(new URL('tls-stub.ts', import.meta.url));
  const child = fork(script, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('exit', () => reject(new Error('The stub did not start.')));
  });
  const { port, cert } = JSON.parse(line) as { port: number; cert: string };
  return {
    endpoint: (delayMs) => `https://127.0.0.1:${port}/${delayMs}/live`,
    cert,
    close: () => child.disconnect(),
  };
}
