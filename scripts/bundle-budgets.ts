import { type Bundle, bundleFunctions } from '../lib/functions/bundles.ts';
import type { FunctionName } from '../lambdas/environment.ts';

/**
 * The largest size of each function's minified bundle, in KB of 1,024 bytes. A cold start reads and compiles the whole
 * bundle, so growth must be a decision. The listeners of a stack's owner come on top.
 */
export const bundleBudgetsKb: Readonly<Record<FunctionName, number>> = {
  authorize: 310,
  tickets: 271,
  connect: 287,
  disconnect: 259,
  message: 466,
  publish: 396,
  api: 367,
  'fan-out': 383,
  schedule: 395,
  'close-sessions': 322,
  lifecycle: 282,
  presence: 396,
  change: 252,
};

/** Makes one line per function. `failures` holds the functions above their budget. */
export function checkBundleBudgets(bundles: ReadonlyMap<string, Bundle> = bundleFunctions()): {
  readonly lines: readonly string[];
  readonly failures: readonly string[];
} {
  const lines: string[] = [];
  const failures: string[] = [];
  for (const [name, budgetKb] of Object.entries(bundleBudgetsKb)) {
    const sizeKb = Math.ceil((bundles.get(name)?.get('index.js')?.byteLength ?? Infinity) / 1024);
    lines.push(`${name} ${sizeKb} KB of ${budgetKb} KB`);
    if (sizeKb > budgetKb) failures.push(`${name}: ${sizeKb} KB is over its budget of ${budgetKb} KB`);
  }
  return { lines, failures };
}
