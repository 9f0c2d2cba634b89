import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'home-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function switchboard(...args: string[]) {
  return switchboardIn('.', ...args);
}

/** Runs the command in a folder. */
function switchboardIn(cwd: string, ...args: string[]) {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const command = ['--import', tsx, path.resolve('cli/switchboard.ts'), ...args];
  const env = { ...process.env, HOME: home };
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', env, cwd });
  return { status, stdout: stdout.trim(), errors: stderr.trim().split('\n') };
}

function writeLocalFile(text: string): void {
  mkdirSync(path.join(home, '.switchboard'), { mode: 0o700 });
  writeFileSync(path.join(home, '.switchboard/local.json'), text);
}

const message = ['--to', 'everyone', '--type', 'x', '--content', '1'];

describe('switchboard', { timeout: 60_000 }, () => {
  it('explains itself and each command with --help and exit code 0', () => {
    expect(switchboard('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('token') as string,
    });
    expect(switchboard('publish', '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('--message-id') as string,
    });
  });

  it('signs tokens with the secret of the laptop clouds', async () => {
    const secret = 'home'.repeat(16);
    writeLocalFile(JSON.stringify({ secret, pids: [] }));
    const { status, stdout } = switchboard('token', '--user', '42', '--topics', 'orders.*', '--ttl', '60');
    const { payload } = await jwtVerify(stdout, new TextEncoder().encode(secret));
    expect([status, payload]).toMatchObject([
      0,
      { sub: '42', userType: 'member', tenant: 'default', topics: ['orders.*'] },
    ]);
  });

  it('puts further claims into tokens, and refuses a claim without a name', async () => {
    const secret = 'home'.repeat(16);
    writeLocalFile(JSON.stringify({ secret, pids: [] }));
    const given = ['--claim', 'name=Ada = 1', '--claim', 'watch=["member:*"]', '--claim', 'phone=007'];
    const { stdout } = switchboard('token', '--user', '42', ...given);
    const { payload } = await jwtVerify(stdout, new TextEncoder().encode(secret));
    expect(payload).toMatchObject({ sub: '42', name: 'Ada = 1', watch: ['member:*'], phone: '007' });

    const { status, errors } = switchboard('token', '--user', '42', '--claim', '=Ada');
    expect([status, errors]).toEqual([2, ['--claim must be NAME=VALUE, got "=Ada".']]);
  });

  it('signs tokens that the app in the working directory accepts', async () => {
    const secret = 'home'.repeat(16);
    writeLocalFile(JSON.stringify({ secret, pids: [] }));
    const context = { tokenClaims: { userId: 'uid' }, maxTokenLifetimeSeconds: 600 };
    writeFileSync(path.join(home, 'cdk.json'), JSON.stringify({ app: 'node app.js', context }));
    const lifetimes = [[], ['--ttl', '601'], ['--ttl', '60']].map(async (ttl) => {
      const { stdout } = switchboardIn(home, 'token', '--user', '42', ...ttl);
      const { payload } = await jwtVerify(stdout, new TextEncoder().encode(secret));
      expect(payload).toMatchObject({ uid: '42' });
      return Number(payload.exp) - Number(payload.iat);
    });
    expect(await Promise.all(lifetimes)).toEqual([600, 600, 60]);
  });

  it('signs no token if the settings of the working directory are wrong: code 1 and one line', () => {
    writeLocalFile(JSON.stringify({ secret: 'home'.repeat(16), pids: [] }));
    writeFileSync(path.join(home, 'cdk.json'), '{"context":{"maxTokenLifetimeSeconds":"long"}}');
    const { status, errors } = switchboardIn(home, 'token', '--user', '42');
    expect([status, errors]).toEqual([
      1,
      [expect.stringContaining('maxTokenLifetimeSeconds in cdk.json is wrong')],
    ]);
  });

  it.each([
    [
      'no laptop cloud has been started',
      undefined,
      /^No laptop cloud has been started yet .*local\.json.*npm start/,
    ],
    ['the file is no JSON', '{', /local\.json does not have the form .*: remove it\.$/],
    ['the file has another form', '{"secret":"","pids":[]}', /local\.json does not have the form/],
    ['the file names no processes', '{"secret":"x","pids":[-1]}', /local\.json does not have the form/],
  ])('signs no token if %s: code 1 and one line', (_what, text, line) => {
    if (text !== undefined) writeLocalFile(text);
    const { status, stdout, errors } = switchboard('token', '--user', '42');
    expect([status, stdout, errors]).toEqual([1, '', [expect.stringMatching(line)]]);
  });

  it.each([
    [['tokens'], '"tokens"'],
    [['token'], '--user'],
    [['token', '--user', 'a b'], '"a b"'],
    [['token', '--user', '42', '--ttl', 'soon'], '"soon"'],
    [['publish', '--type', 'x', '--content', '1'], '--to'],
    [['publish', '--to', 'everyone', '--type', 'x', '--content', 'hi'], '"hi"'],
    [['publish', ...message, '--text', 'hi'], '--text'],
    [['publish', '--text', 'hi'], '--to'],
    [['publish', ...message, '--at'], '--at'],
    [['publish', ...message, '--endpoint', 'ftp://example.com'], 'ftp:'],
    [['publish', ...message, '--endpoint', 'https://api.example.com'], '--region'],
  ])('ends with code 2 and one line for wrong use: %j', (args, named) => {
    expect(switchboard(...args)).toEqual({ status: 2, stdout: '', errors: [expect.stringContaining(named)] });
  });

  it('ends with code 1 and one line if no server answers', () => {
    const { status, errors } = switchboard('publish', ...message, '--endpoint', 'http://127.0.0.1:9');
    expect([status, errors]).toEqual([1, [expect.stringContaining('127.0.0.1:9')]]);
  });
});
