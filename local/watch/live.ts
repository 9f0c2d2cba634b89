import { CommandError } from '../../cli/command-line.ts';
import type { Cloud } from '../cloud.ts';
import { TemplateError } from '../template/template-error.ts';
import type { SourceWatcher } from './source-watcher.ts';
import type { Standby } from './standby.ts';
import type { SynthesisResult } from './synthesis.ts';

export interface LiveOptions {
  readonly cloud: Pick<Cloud, 'update'>;
  readonly standby: Pick<Standby, 'prepare' | 'run'>;
  readonly sources: Pick<SourceWatcher, 'next'>;
  /** The folder of the assembly. */
  readonly assembly: string;
  readonly stop: AbortSignal;
  readonly log: (line: string) => void;
}

/** Runs each saved version of an app, until `stop`. If a version cannot run, the one before it runs on. */
export async function keepLive({ cloud, standby, sources, assembly, stop, log }: LiveOptions): Promise<void> {
  const stopped = new Promise<'stopped'>((resolve) => {
    if (stop.aborted) resolve('stopped');
    stop.addEventListener('abort', () => {
      resolve('stopped');
    });
  });
  for (;;) {
    void standby.prepare();
    if ((await Promise.race([sources.next(), stopped])) === 'stopped') return;
    const startedAt = performance.now();
    const outcome = await Promise.race([runVersion(), stopped]);
    if (outcome === 'stopped') return;
    const ms = Math.round(performance.now() - startedAt);
    log(outcome.ok ? `Updated in ${ms} ms.` : `${outcome.complaint}\nThe last version runs on.`);
  }

  async function runVersion(): Promise<SynthesisResult> {
    try {
      const result = await standby.run();
      if (result.ok) await cloud.update(assembly);
      return result;
    } catch (cause) {
      const isUsersMistake = cause instanceof TemplateError || cause instanceof CommandError;
      if (isUsersMistake) return { ok: false, complaint: cause.message };
      throw cause;
    }
  }
}
