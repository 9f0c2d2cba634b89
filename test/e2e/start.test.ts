import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, refusalStatus } from './client.ts';

const started: ChildProcess[] = [];
let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'home-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

function npmStart(...flags: string[]): ChildProcess {
  // The test starts the server without npm, because it needs the process id of the server itself.
  const child = spawn(process.execPath, ['scripts/run.mjs', 'scripts/start.ts', ...flags], {
    env: { ...process.env, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  return child;
}

/** What `npm run token -- --user 7` prints. */
async function runToken(): Promise<string> {
  const command = ['scripts/run.mjs', 'cli/switchboard.ts', 'token', '--user', '7'];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    env: { ...process.env, HOME: home },
  });
  return stdout.trim();
}

/** The rights of a file, or of each file below a folder. */
function modesOf(file: string): string[] {
  const { mode } = statSync(file);
  const below = statSync(file).isDirectory() ? readdirSync(file).map((name) => path.join(file, name)) : [];
  return [(mode & 0o777).toString(8), ...below.flatMap(modesOf)];
}

/** Resolves to the lines up to the first one that matches. */
async function linesUntil(child: ChildProcess, pattern: RegExp): Promise<string[]> {
  if (!child.stdout) throw new Error('stdout is not piped');
  const lines: string[] = [];
  for await (const line of readline.createInterface({ input: child.stdout })) {
    lines.push(line);
    if (pattern.test(line)) return lines;
  }
  throw new Error(`ended before ${String(pattern)}: ${lines.join('\n')}`);
}

async function failure(...flags: string[]): Promise<{ code: number; lines: string[] }> {
  const child = npmStart(...flags);
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, lines: text.trim().split('\n') };
}

async function isReachable(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch (cause) {
    if (cause instanceof TypeError) return false;
    throw cause;
  }
}

// Every test starts processes, which is slow on a busy machine.
describe('npm start', { timeout: 180_000 }, () => {
  it('starts on a free port, prints tokens and a command, and ends with all its processes on Ctrl-C', async () => {
    const child = npmStart('--port', '0');
    const lines = (await linesUntil(child, /One line per request/)).join('\n');
    const url = /ready at (http:\/\/127\.0\.0\.1:\d+)\//.exec(lines)?.[1] ?? '';
    const health = await fetch(`${url}/_local/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);

    const webSocketUrl = /WebSocketUrl\s+(\S+)/.exec(lines)?.[1] ?? '';
    const tokens = [...lines.matchAll(/member \d+\s+(\S+)/g)].map(([, token]) => token ?? '');
    expect(tokens).toHaveLength(2);
    const client = await Client.open(`${webSocketUrl}?token=${tokens[0] ?? ''}`);

    // Runs the printed command, as a user would paste it.
    const [command = ''] = /npm run publish -- .*/.exec(lines) ?? [];
    const { stdout } = await promisify(execFile)('bash', ['-c', command]);
    expect(stdout).toContain('"delivered": 1');
    expect(await client.next()).toMatchObject({ type: 'notice-push', content: { title: 'hi' } });

    // The listeners of the examples are there.
    const example = { type: 'demo-message-send', id: '1', content: { text: 'hi', toUserId: '43' } };
    expect(await client.ask(example)).toMatchObject({ type: 'ack', id: '1' });

    const exited = once(child, 'exit');
    const closed = client.closed();
    child.kill('SIGINT');
    expect((await exited)[0]).toBe(0);
    expect((await closed).code).toBe(1001);
    expect(await isReachable(`${url}/_local/health`)).toBe(false);
  });

  it('keeps its secret and its tables for its user alone, and makes a new secret at the next start', async () => {
    const data = path.join(home, 'data');
    const file = path.join(home, '.switchboard/local.json');
    const run = async () => {
      const child = npmStart('--port', '0', '--data', data);
      const lines = (await linesUntil(child, /One line per request/)).join('\n');
      const url = /WebSocketUrl\s+(\S+)/.exec(lines)?.[1] ?? '';
      return {
        child,
        url,
        local: JSON.parse(readFileSync(file, 'utf8')) as { secret: string; pids: number[] },
      };
    };
    const stop = async (child: ChildProcess) => {
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      await exited;
    };

    const first = await run();
    expect(first.local.pids).toEqual([first.child.pid]);
    const token = await runToken();
    const client = await Client.open(`${first.url}?token=${token}`);
    client.socket.terminate();
    expect(new Set(modesOf(path.join(home, '.switchboard')))).toEqual(new Set(['700', '600']));
    const [folder, ...files] = modesOf(data);
    expect([folder, files.length > 3]).toEqual(['700', true]);
    expect(new Set(files)).toEqual(new Set(['700', '600']));
    await stop(first.child);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...first.local, pids: [] });

    const second = await run();
    expect(second.local.secret).not.toBe(first.local.secret);
    expect(await refusalStatus(`${second.url}?token=${token}`)).toBe(403);
    const renewed = await Client.open(`${second.url}?token=${await runToken()}`);
    renewed.socket.terminate();
    await stop(second.child);
  });

  it('refuses a folder for tables that others can open', async () => {
    const data = path.join(home, 'open');
    mkdirSync(data);
    chmodSync(data, 0o755);
    const { code, lines } = await failure('--port', '0', '--data', data);
    expect([code, lines]).toEqual([1, [expect.stringContaining(`chmod 700 ${data}`)]]);
  });

  it('refuses a port in use with one line', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? String(address.port) : '';
    const { code, lines } = await failure('--port', port);
    server.close();
    expect([code, lines]).toEqual([1, [expect.stringContaining(port)]]);
  });

  it.each([
    [['--prot', '1'], '--prot'],
    [['--port', 'x'], '"x"'],
    [['--port', '65536'], '65535'],
    [['--faults', 'throttled=2'], 'throttled: must be a share from 0 to 1'],
    [['--faults', 'nothing=1'], 'nothing: is no fault'],
    [['--allow-origin', 'app'], 'https://app.example.com'],
    [['--clock-speed', '0'], 'from 0.001 to 1000000'],
    [['--clock-speed', '1e300'], 'from 0.001 to 1000000'],
    [['extra'], 'extra'],
  ])('refuses %j with one line', async (flags, named) => {
    expect(await failure(...flags)).toEqual({ code: 1, lines: [expect.stringContaining(named)] });
  });

  it('explains its flags with --help', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      'scripts/run.mjs',
      'scripts/start.ts',
      '--help',
    ]);
    expect(stdout).toContain('--port');
    expect(stdout).toContain('--data');
  });
});
