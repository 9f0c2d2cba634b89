import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bundleFunctions } from '../../lib/functions/bundles.ts';
import { commonNames, environmentOf } from './function-environment.ts';
import { bundleBudgetsKb, checkBundleBudgets } from '../../scripts/bundle-budgets.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

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
    expect(assets).toHaveLength(commonNames.length);
  });

  it('offers no listener of the examples, unless the setting says so', () => {
    const demo = Buffer.from('demo-message-send');
    const withDemo = (assembly: string) =>
      readdirSync(assembly)
        .filter((entry) => entry.startsWith('asset.'))
        .filter((entry) => readFileSync(join(assembly, entry, 'index.js')).includes(demo));
    expect(withDemo(join(folder, 'cdk.out'))).toEqual([]);
    // The app that the tests and `npm start` run.
    expect(withDemo(inject('assembly'))).toHaveLength(1);
  });

  it('writes CommonJS for each function, in any folder', () => {
    for (const asset of assets) {
      const manifest = readFileSync(join(folder, 'cdk.out', asset, 'package.json'), 'utf8');
      expect(JSON.parse(manifest)).toEqual({ type: 'commonjs' });
    }
  });

  it.each(commonNames)('bundles %s so that it loads with only its own variables', (name) => {
    const file = assets.find((asset) => functionOf(asset) === name);
    const output = execFileSync(
      process.execPath,
      ['-p', `typeof require(${JSON.stringify(join(folder, 'cdk.out', file ?? '', 'index.js'))}).handler`],
      { encoding: 'utf8', env: environmentOf(name) },
    );
    expect(output.trim()).toBe('function');
  });

  it('ends with one clear line and status 1 if a setting is wrong', () => {
    const { status, stderr } = synthesise({ shards: 'many' });
    expect(stderr).toBe('Setting shards is "many"; allowed: a whole number from 1 to 256.\n');
    expect(status).toBe(1);
  });

  it('ends with the lines of esbuild and status 1 if the listeners do not build', () => {
    const listeners = join(folder, 'broken.ts');
    writeFileSync(listeners, 'export default [\n');
    const { status, stderr } = synthesise({ listeners });
    expect(stderr.replace(/^Bundling asset .*\n/gm, '')).toMatch(
      /^The setting listeners names code that does not build\.\n\n✘ \[ERROR\] Unexpected end of file\n\n {4}\S*broken\.ts:2:0:\n[^]*╵ \^\n$/,
    );
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
    return [...bundleFunctions()].find(([, bundle]) =>
      code.equals(bundle.get('index.js') ?? new Uint8Array()),
    )?.[0];
  }
});

describe('bundle budgets', () => {
  it('are held', () => {
    expect(checkBundleBudgets().failures).toEqual([]);
  });

  it('name the function, its size and its budget if a bundle is too large', () => {
    const codeOf = (name: string) => new Uint8Array(name === 'api' ? 1024 * 1024 : 1024);
    const all = Object.keys(bundleBudgetsKb);
    const bundles = new Map(all.map((name) => [name, new Map([['index.js', codeOf(name)]])]));
    expect(checkBundleBudgets(bundles).failures).toEqual([
      `api: 1024 KB is over its budget of ${bundleBudgetsKb.api} KB`,
    ]);
  });

  it('cover no credential chain, which has no use in Lambda', () => {
    for (const bundle of bundleFunctions().values()) {
      expect(Buffer.from(bundle.get('index.js') ?? '').includes('sso_start_url')).toBe(false);
    }
  });
});
