import { relative, sep } from 'node:path';
import { watch } from 'chokidar';

export interface SourceWatcher {
  /** Resolves once every file is watched. */
  readonly ready: Promise<void>;
  /** Resolves to the changed files, once none has changed for a moment. Changes since the last call count. */
  next(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Folders that hold no sources of an app, or what a synthesis writes. */
const ignored = new Set(['node_modules', 'cdk.out', 'dist', 'coverage']);

/** An editor writes several files at a save, and some of them twice. */
const quietMs = 50;

/** Watches the sources of an app: every file of its folder, except hidden ones and the output of tools. */
export function watchSources(folder: string, alsoIgnored: readonly string[] = []): SourceWatcher {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let report: () => void = () => undefined;
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path) => isIgnored(relative(folder, path)) || alsoIgnored.includes(path),
  });
  watcher.on('all', (_event, path) => {
    changed.add(path);
    clearTimeout(timer);
    timer = setTimeout(() => {
      report();
    }, quietMs);
  });
  const ready = new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve);
    watcher.once('error', reject);
  });

  return {
    ready,
    async next() {
      while (changed.size === 0) await new Promise<void>((resolve) => (report = resolve));
      const files = [...changed];
      changed.clear();
      return files;
    },
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}

function isIgnored(path: string): boolean {
  return path.split(sep).some((part) => ignored.has(part) || (part.startsWith('.') && part !== '..'));
}
