import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variables } from '../../lambdas/environment.ts';
import { bundleFunctions } from '../../lib/function-code.ts';
import { bundleBudgetsKb, checkBundleBudgets } from '../../scripts/bundle-budgets.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const names = ['authorize', 'connect', 'disconnect', 'message', 'publish', 'api', 'fan-out'] as const;

describe('the app without the CDK command line, credentials or network', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-app-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const synthesise = (context: Readonly<Record<string, unknown>>) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
      cwd: repository,
      encoding: 'utf8',
      // The process inherits nothing: neither credentials nor the variables of a CLI around this run.
      env: {
        PATH: process.env['PATH'],
        CDK_OUTDIR: join(folder, 'cdk.out'),
        CDK_CONTEXT_JSON: JSON.stringify(context),
      },
    });

  let assets: readonly string[];
  beforeAll(() => {
    const { status, stderr } = synthesise({});
    expect(status, stderr).toBe(0);
    assets = readdirSync(join(folder, 'cdk.out')).filter((entry) => entry.startsWith('asset.'));
  });

  it('writes one asset per function, and no two are equal', () => {
    expect(assets).toHaveLength(names.length);
  });

  it('writes CommonJS for each function, in any folder', () => {
    for (const asset of assets) {
      const manifest = readFileSync(join(folder, 'cdk.out', asset, 'package.json'), 'utf8');
      expect(JSON.parse(manifest)).toEqual({ type: 'commonjs' });
    }
  });

  it.each(names)('bundles %s so that it loads with only its own variables', (name) => {
    const file = assets.find((asset) => functionOf(asset) === name);
    const output = execFileSync(
      process.execPath,
      ['-p', `typeof require(${JSON.stringify(join(folder, 'cdk.out', file ?? '', 'index.js'))}).handler`],
      { encoding: 'utf8', env: { ...lambdaSets, ...environmentOf(name) } },
    );
    expect(output.trim()).toBe('function');
  });

  it('ends with one clear line and status 1 if a setting is wrong', () => {
    const { status, stderr } = synthesise({ shards: 'many' });
    expect(stderr).toBe('Setting shards is "many"; allowed: a whole number from 1 to 256.\n');
    expect(status).toBe(1);
  });

  it('lets the command line override cdk.json', () => {
    const { status } = synthesise({ 'aws:cdk:bundling-stacks': [], shards: '16' });
    expect(status).toBe(0);
    const template = readFileSync(join(folder, 'cdk.out', 'Switchboard.template.json'), 'utf8');
    expect(template).toContain('"SHARDS": "16"');
  });

  function functionOf(asset: string): string | undefined {
    const code = readFileSync(join(folder, 'cdk.out', asset, 'index.js'));
    return [...bundleFunctions()].find(([, bundle]) => code.equals(bundle))?.[0];
  }
});

describe('bundle budgets', () => {
  it('are held', () => {
    expect(checkBundleBudgets().failures).toEqual([]);
  });

  it('name the function, its size and its budget if a bundle is too large', () => {
    const sizes = Object.keys(bundleBudgetsKb).map(
      (name) => [name, name === 'api' ? 1024 * 1024 : 1024] as const,
    );
    const bundles = new Map(sizes.map(([name, bytes]) => [name, new Uint8Array(bytes)]));
    expect(checkBundleBudgets(bundles).failures).toEqual([
      `api: 1024 KB is over its budget of ${bundleBudgetsKb.api} KB`,
    ]);
  });

  it('cover no credential chain, which has no use in Lambda', () => {
    for (const code of bundleFunctions().values()) {
      expect(Buffer.from(code).includes('sso_start_url')).toBe(false);
    }
  });
});

/** The variables that Lambda sets, and not the stack. */
const lambdaSets = { AWS_REGION: 'us-east-1', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

function environmentOf(name: (typeof names)[number]): Record<string, string> {
  const values: Readonly<Record<string, string>> = {
    LOG_LEVEL: 'INFO',
    SHARDS: '8',
    INLINE_LIMIT: '500',
    DURABLE_TOPICS: '',
    SESSIONS_TABLE: 'sessions',
    STATE_TABLE: 'state',
    FAN_OUT_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/jobs',
    FAN_OUT_RATE: '1000',
    CALLBACK_ENDPOINT: 'https://api.execute-api.us-east-1.amazonaws.com/live',
    TOKEN_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:token',
    TOKEN_CLAIMS: '{"userId":"sub","userType":"userType","tenant":"tenant","topics":"topics"}',
    ALLOWED_ORIGINS: '',
    RECORDS_ENDS: 'false',
    TARGETS: '[]',
  };
  return Object.fromEntries(variables[name].map((variable) => [variable, values[variable] ?? '']));
}
