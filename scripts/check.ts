// `npm run check` checks format, lint, types and bundle budgets at once. The output of failed checks comes at the end.
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { checkBundleBudgets } from './bundle-budgets.ts';

interface Check {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

interface Outcome {
  readonly ok: boolean;
  /** The text to show if the check failed. */
  readonly output: string;
  /** The text to show if the check passed. */
  readonly summary?: string;
}

const checks: readonly Check[] = [
  {
    name: 'format',
    run: () => runTool('prettier', 'bin/prettier.cjs', ['--check', '--log-level=warn', '.']),
  },
  { name: 'lint', run: () => runTool('eslint', 'bin/eslint.js', ['--max-warnings=0', '.']) },
  { name: 'types', run: () => runTool('typescript', 'bin/tsc', ['--noEmit', '--pretty', '-p', '.']) },
  {
    name: 'client types',
    run: () => runTool('typescript', 'bin/tsc', ['--noEmit', '--pretty', '-p', 'client']),
  },
  {
    name: 'page types',
    run: () => runTool('typescript', 'bin/tsc', ['--noEmit', '--pretty', '-p', 'console']),
  },
  {
    name: 'example types',
    run: () => runTool('typescript', 'bin/tsc', ['--noEmit', '--pretty', '-p', 'examples']),
  },
  { name: 'bundles', run: () => Promise.resolve(runBudgets()) },
];

const startedAt = performance.now();
const failed: string[] = [];
await Promise.all(
  checks.map(async ({ name, run }) => {
    const { ok, output, summary } = await run();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(
      `${ok ? '✓' : '✗'} ${name.padEnd(8)} ${seconds.padStart(5)} s  ${ok ? (summary ?? '') : ''}`.trimEnd(),
    );
    if (!ok) failed.push(`\n── ${name}\n${output.trim()}`);
  }),
);
for (const output of failed) console.error(output);
console.log(
  failed.length === 0 ? 'All checks pass.' : `\n${failed.length} of ${checks.length} checks failed.`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs a tool of node_modules in its own process, so that tools share the cores. npx would add 0.4 s per tool. */
async function runTool(packageName: string, bin: string, args: readonly string[]): Promise<Outcome> {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const tool = spawn(process.execPath, [join(dirname(manifest), bin), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
  });
  const [code, out, err] = await Promise.all([exitCode(tool), text(tool.stdout), text(tool.stderr)]);
  return { ok: code === 0, output: out + err };
}

function exitCode(tool: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    tool.once('error', reject);
    tool.once('close', resolve);
  });
}

function runBudgets(): Outcome {
  const { lines, failures } = checkBundleBudgets();
  return { ok: failures.length === 0, output: failures.join('\n'), summary: lines.join(', ') };
}
