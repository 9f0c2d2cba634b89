import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { WebSocket } from 'ws';
import { readLocalSecret } from '../../cli/local-secret.ts';
import { signToken } from '../../cli/sign-token.ts';
import { codeBlocks, readPage } from '../docs/documents.ts';
import { pack, type PackedPackage, type Project } from './packed-package.ts';

let packed: PackedPackage;
let project: Project;
beforeAll(async () => {
  packed = await pack('local');
  project = await packed.install();
}, 180_000);
afterAll(() => packed.remove());

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function command(...args: string[]): ChildProcess {
  const bin = path.join(project.folder, 'node_modules/.bin/switchboard-local');
  const child = spawn(bin, args, {
    cwd: project.folder,
    env: { ...process.env, HOME: project.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  return child;
}

async function outcome(...args: string[]): Promise<{ code: number; text: string }> {
  const child = command(...args);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

describe('@switchboard/local', () => {
  it('has no faults for publint and Are The Types Wrong', { timeout: 60_000 }, async () => {
    expect(await packed.faults()).toEqual([]);
  });

  it('holds no tests and installs no CDK', () => {
    expect(packed.files.filter((file) => !/^(dist\/|LICENSE|README\.md|package\.json)/.test(file))).toEqual(
      [],
    );
    expect(packed.files.filter((file) => /\.test\.|\.map$/.test(file))).toEqual([]);
    expect(existsSync(path.join(project.folder, 'node_modules/aws-cdk-lib'))).toBe(false);
  });

  it('type-checks the example of its README, libraries included', { timeout: 120_000 }, async () => {
    const [example] = codeBlocks(readPage('local/README.md')).filter(({ language }) => language === 'ts');
    const files = { 'example.ts': example?.code ?? '' };
    expect(example?.code).toContain('startCloud');
    expect(await project.compile(files, { types: ['node'], skipLibCheck: false, noEmit: true })).toBe('');
  });

  it('runs a synthesised app without a page until Ctrl-C', { timeout: 60_000 }, async () => {
    const child = command(inject('assembly'), '--port', '0');
    const exited = once(child, 'exit');
    const lines: string[] = [];
    for await (const line of readline.createInterface({ input: child.stdout ?? process.stdin })) {
      lines.push(line);
      if (line.startsWith('Ctrl-C')) break;
    }
    const url = /Ready at (\S+)\//.exec(lines.join('\n'))?.[1] ?? '';
    expect((await fetch(`${url}/`)).status).toBe(404);
    const request = { user: '42', type: 'member', tenant: 'default', topics: [], ttlSeconds: 600 };
    const secret = readLocalSecret(path.join(project.folder, '.switchboard'));
    const token = await signToken(secret, request);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/live?token=${token}`);
    await once(socket, 'open');
    socket.send('ping');
    expect(String((await once(socket, 'message'))[0])).toBe('pong');
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
  });

  it.each([
    [['--prot', '1'], '--prot'],
    [['--port', 'x'], '"x"'],
    [['one', 'two'], '"two"'],
    [['nowhere'], 'nowhere'],
  ])('refuses %j in one line with exit code 2', async (args, named) => {
    const { code, text } = await outcome(...args);
    expect([code, text.trim().split('\n')]).toEqual([2, [expect.stringContaining(named)]]);
  });

  it('explains every flag of its README with --help', async () => {
    const { code, text } = await outcome('--help');
    expect(code).toBe(0);
    for (const [flag] of readPage('local/README.md').matchAll(/--(?!save)[a-z][a-z-]+/g)) {
      expect(text).toContain(flag);
    }
  });
});
