import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { pack, type PackedPackage } from './packed-package.ts';

const run = promisify(execFile);
const packages = ['.', 'client', 'local'];

/** The example app in a folder of its own, with the three packages installed from their tarballs. */
export interface ExampleApp {
  readonly folder: string;
  /** Runs a command to its end. Resolves to its standard output. */
  run(command: string, ...args: string[]): Promise<string>;
  /** Starts a command that keeps running. */
  start(command: readonly string[], environment?: Readonly<Record<string, string>>): RunningCommand;
  edit(file: string, change: (text: string) => string): Promise<void>;
  remove(): Promise<void>;
}

export interface RunningCommand {
  /** Every line so far. */
  readonly lines: readonly string[];
  /** Resolves to the first line that matches. Rejects if the command ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
}

export async function installExampleApp(): Promise<ExampleApp> {
  const packed: PackedPackage[] = [];
  // One after the other: two builds of one repository would write the same files.
  for (const folder of packages) packed.push(await pack(folder));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'example-app-'));
  await cp('examples/app', folder, { recursive: true });
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...flags, ...packed.map(({ tarball }) => tarball)], { cwd: folder });
  // The secret of the laptop cloud is kept there. The test's process stands for a cloud that runs already.
  await mkdir(path.join(folder, '.switchboard'), { mode: 0o700 });
  const clouds = { secret: randomBytes(32).toString('hex'), pids: [process.pid] };
  await writeFile(path.join(folder, '.switchboard/local.json'), JSON.stringify(clouds), { mode: 0o600 });
  const env = { ...process.env, HOME: folder };
  const started: ChildProcess[] = [];
  return {
    folder,
    run: async (command, ...args) => (await run(command, args, { cwd: folder, env })).stdout,
    start(command, environment = {}) {
      const [program = '', ...args] = command;
      const child = spawn(program, args, {
        cwd: folder,
        env: { ...env, ...environment },
        // A group of its own, so that the processes it starts end with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      started.push(child);
      return watchOutput(child);
    },
    async edit(file, change) {
      const full = path.join(folder, file);
      await writeFile(full, change(await readFile(full, 'utf8')));
    },
    async remove() {
      for (const child of started) await endGroup(child);
      for (const each of packed) await each.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function watchOutput(child: ChildProcess): RunningCommand {
  if (!child.stdout) throw new Error('stdout is not piped');
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  let isOver = false;
  readline
    .createInterface({ input: child.stdout })
    .on('line', (line) => {
      lines.push(line);
      wake();
    })
    .on('close', () => {
      isOver = true;
      wake();
    });
  return {
    lines,
    async line(pattern) {
      for (;;) {
        for (const line of lines) {
          const match = pattern.exec(line);
          if (match) return match;
        }
        if (isOver) throw new Error(`It ended before ${String(pattern)}:\n${lines.join('\n')}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // Its output ends with the last process of the group. The first may end before those that it started.
  const ended = once(child, 'close');
  process.kill(-child.pid, 'SIGTERM');
  await ended;
}
