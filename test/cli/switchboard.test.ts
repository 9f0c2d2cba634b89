import { spawnSync } from 'node:child_process';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { generatedSecret } from '../../local/services/secrets.ts';

function switchboard(...args: string[]) {
  const command = ['--import', 'tsx', 'cli/switchboard.ts', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, stdout: stdout.trim(), errors: stderr.trim().split('\n') };
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

  it('signs tokens with the secret that the laptop cloud generates', async () => {
    const { status, stdout } = switchboard('token', '--user', '42', '--topics', 'orders.*', '--ttl', '60');
    const { payload } = await jwtVerify(stdout, new TextEncoder().encode(generatedSecret(64)));
    expect([status, payload]).toMatchObject([
      0,
      { sub: '42', userType: 'member', tenant: 'default', topics: ['orders.*'] },
    ]);
  });

  it.each([
    [['tokens'], '"tokens"'],
    [['token'], '--user'],
    [['token', '--user', 'a b'], '"a b"'],
    [['token', '--user', '42', '--ttl', 'soon'], '"soon"'],
    [['publish', '--type', 'x', '--content', '1'], '--to'],
    [['publish', '--to', 'everyone', '--type', 'x', '--content', 'hi'], '"hi"'],
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
