import type { Cloud } from '../cloud.ts';
import { TemplateError } from '../template/template-error.ts';
import type { SourceWatcher } from './source-watcher.ts';
import type { Synthesis } from './synthesis.ts';

export interface LiveOptions {
  readonly cloud: Pick<Cloud, 'update'>;
  readonly synthesis: Synthesis;
  readonly sources: Pick<SourceWatcher, 'next'>;
  /** The folder of the assembly. */
  readonly assembly: string;
  readonly stop: AbortSignal;
  readonly log: (line: string) => void;
}

/** Runs each saved version of an app, until `stop`. If a version cannot run, the one before it runs on. */
export async function keepLive({
  cloud,
  synthesis,
  sources,
  assembly,
  stop,
  log,
}: LiveOptions): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    stop.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  for (;;) {
    synthesis.prepare();
    const files = await Promise.race([sources.next(), stopped]);
    if (files === undefined || stop.aborted) return;
    const startedAt = performance.now();
    const complaint = await runVersion();
    if (stop.aborted) return;
    const ms = Math.round(performance.now() - startedAt);
    log(complaint === undefined ? `Updated in ${ms} ms.` : `${complaint}\nThe last version runs on.`);
  }

  /** Resolves to why the version cannot run. */
  async function runVersion(): Promise<string | undefined> {
    const result = await synthesis.run();
    if (!result.ok) return result.complaint;
    try {
      await cloud.update(assembly);
      return undefined;
    } catch (cause) {
      if (cause instanceof TemplateError) return cause.message;
      throw cause;
    }
  }
}
