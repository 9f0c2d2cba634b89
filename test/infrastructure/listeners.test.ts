import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { App, Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { bundleFunctions, bundleOf } from '../../lib/functions/bundles.ts';
import { Switchboard } from '../../lib/index.ts';
import { functionNames } from '../../lib/functions/function-names.ts';
import { clientOf, httpEvent, messageEvent } from '../lambdas/events.ts';
import { environmentOf } from './function-environment.ts';
import { createStack, resourcesOf } from './stack-under-test.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchboard-listeners-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(repository, 'node_modules/zod'), join(folder, 'node_modules/zod'), 'dir');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a module and returns its path. */
function write(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

function tableOf(...types: string[]): string {
  const entries = types.map(
    (type) => `defineListener({ type: '${type}', content: z.string(), handle: ({ content }) => content })`,
  );
  const imports = "import { defineListener } from 'switchboard/listener';\nimport * as z from 'zod';\n";
  return `${imports}export default [${entries.join(', ')}];\n`;
}

const textOf = (contents: Uint8Array | undefined) => Buffer.from(contents ?? '').toString();
const codeOf = (...listeners: string[]) => textOf(bundleOf('message', listeners).get('index.js'));

/** Loads a bundle as Lambda does, gives it one frame, and resolves to its answer and its log. */
async function ask(listeners: readonly string[], frame: object) {
  const root = mkdtempSync(join(folder, 'function-'));
  for (const [name, contents] of bundleOf('message', listeners)) writeFileSync(join(root, name), contents);
  writeFileSync(join(root, 'package.json'), '{"type":"commonjs"}');
  // By POST /messages, because a frame on a connection reads its session, and there is no table.
  const request = httpEvent('POST /messages', { body: JSON.stringify(frame) });
  const { authorizer } = messageEvent(clientOf('c1='), '').requestContext;
  const event = {
    ...request,
    requestContext: { ...request.requestContext, authorizer: { lambda: authorizer } },
  };
  const code = `require('./index.js').handler(${JSON.stringify(event)}).then((answer) => console.log(answer.body))`;
  const env = { ...environmentOf('message'), NODE_OPTIONS: '--enable-source-maps' };
  const { stdout, stderr } = await run(process.execPath, ['-e', code], { cwd: root, env });
  const lines = stdout.trim().split('\n');
  return { answer: JSON.parse(lines.at(-1) ?? '') as unknown, log: lines.slice(0, -1).join('\n') + stderr };
}

describe('the listeners of a stack', () => {
  it('are bundled into the function message, and into no other', () => {
    const one = write('one.ts', tableOf('type-of-one'));
    const two = write('two.mts', tableOf('type-of-two'));
    expect(codeOf(one)).toContain('type-of-one');
    expect(codeOf(one)).not.toContain('type-of-two');
    expect(codeOf(two)).toContain('type-of-two');
    expect(codeOf(one, two)).toMatch(/type-of-one[^]*type-of-two/);
    for (const [, bundle] of bundleFunctions())
      expect(textOf(bundle.get('index.js'))).not.toContain('type-of-');
  });

  it('are bundled once for each list of modules', () => {
    const one = write('one.ts', tableOf('type-of-one'));
    expect(bundleOf('message', [one])).toBe(bundleOf('message', [one]));
    expect(bundleOf('message', [one])).not.toBe(bundleOf('message', []));
  });

  it('differ between two constructs of one app', () => {
    const outdir = join(folder, 'cdk.out');
    const app = new App({ outdir, builtinCloudFormationValidation: false });
    const stack = new Stack(app, 'Own');
    new Switchboard(stack, 'One', { listeners: write('one.ts', tableOf('type-of-one')) });
    new Switchboard(stack, 'Two', { listeners: write('two.mts', tableOf('type-of-two')) });
    app.synth();
    const codes = readdirSync(outdir)
      .filter((name) => name.startsWith('asset.'))
      .map((name) => readFileSync(join(outdir, name, 'index.js'), 'utf8'));
    // Both constructs share all functions but message. Neither has a lifecycle target, a schedule or presence.
    const own = ['message', 'lifecycle', 'schedule', 'presence'];
    const shared = functionNames.filter((name) => !own.includes(name));
    expect(codes).toHaveLength(shared.length + 2);
    for (const type of ['type-of-one', 'type-of-two']) {
      expect(codes.filter((code) => code.includes(type))).toHaveLength(1);
    }
  });

  it('answer frames, and their refusals are known as such, with another copy of the package too', async () => {
    const copy = join(folder, 'node_modules/switchboard');
    mkdirSync(copy);
    writeFileSync(
      join(copy, 'package.json'),
      '{"name":"switchboard","type":"module","exports":{"./*":"./other.js"}}',
    );
    writeFileSync(
      join(copy, 'other.js'),
      'export const defineListener = (listener) => listener; export class Refusal {}',
    );
    const file = write(
      'refusing.js',
      `import { defineListener, Refusal } from 'switchboard/listener';
       import * as z from 'zod';
       export default [defineListener({ type: 'refuse', content: z.object({}), handle() { throw new Refusal('conflict', 'sold out'); } })];`,
    );
    expect((await ask([file], { type: 'refuse', id: '1', content: {} })).answer).toEqual({
      error: { code: 'conflict', message: 'sold out' },
    });
  });

  it('log an error with their own file and line', async () => {
    const code = tableOf('break').replace(
      '({ content }) => content',
      '() => {\n\n    throw new Error("boom");\n}',
    );
    const { answer, log } = await ask([write('breaking.ts', code)], { type: 'break', content: 'x', id: '1' });
    expect(answer).toMatchObject({ error: { code: 'internal' } });
    expect(log).toContain('boom');
    expect(log).toMatch(/breaking\.ts:5\b/);
  });

  it('have a source map of their own code only, without the code', () => {
    const map = sourceMap.parse(
      JSON.parse(textOf(bundleOf('message', [write('one.ts', tableOf('type-of-one'))]).get('index.js.map'))),
    );
    expect(map.sources).toContainEqual(expect.stringMatching(/one\.ts$/));
    expect(map.sources.filter((source) => source.includes('node_modules'))).toEqual([]);
    expect(map).not.toHaveProperty('sourcesContent');
    expect([...bundleOf('message', []).keys()]).toEqual(['index.js']);
  });

  it('make the function read source maps; without listeners it reads none', () => {
    const one = write('one.ts', tableOf('type-of-one'));
    expect(nodeOptionsOf(createStack({ listeners: one }))).toEqual(['--enable-source-maps']);
    expect(nodeOptionsOf(createStack({ listeners: [one] }))).toEqual(['--enable-source-maps']);
    expect(nodeOptionsOf(createStack())).toEqual([]);
  });

  it.each([
    ['the default export is no list', 'export default {};', /wrong\.ts: the default export must be a list/],
    ['two have one type', tableOf('a', 'a'), /wrong\.ts: two listeners have the type "a"/],
    [
      'one has a type of the protocol',
      tableOf('refresh'),
      /wrong\.ts: the type "refresh" belongs to the protocol/,
    ],
  ])('keep the function from starting if %s', async (what, code, message) => {
    // A file for each case, because a bundle is made once for a path.
    mkdirSync(join(folder, what));
    const file = write(join(what, 'wrong.ts'), code);
    await expect(ask([file], { type: 'ping' })).rejects.toMatchObject({
      stderr: expect.stringMatching(message) as string,
    });
  });
});

describe('a module with listeners', () => {
  it.each(['none.ts', '.'])('must be a file: %s', (name) => {
    const path = join(folder, name);
    expect(() => createStack({ listeners: path })).toThrow(
      `Setting listeners is "${path}"; allowed: the path of a module that exists`,
    );
  });

  it.each([
    ['a syntax error', 'syntax.ts', 'export default [\n  { a: }\n];\n', 'syntax.ts:2:7:', '  { a: }'],
    [
      'a wrong import',
      'import.ts',
      "import 'zodd';\nexport default [];\n",
      'import.ts:1:7:',
      "import 'zodd';",
    ],
  ])('with %s fails with the lines of esbuild, and without a trace', (_what, name, code, place, line) => {
    const error = failureOf(write(name, code));
    expect(error.message).toContain('The setting listeners names code that does not build.');
    expect(error.message).toContain(place);
    expect(error.message).toContain(line);
    expect(error.message).toMatch(/^ +╵ +[\^~]+$/m);
    expect(error.stack).toBe(`SettingsError: ${error.message}`);
    expect(error.message).not.toContain('external');
  });

  it('without a default export fails with its name', () => {
    const good = write('good.ts', tableOf('good'));
    const message = failureOf(good, write('bare.ts', 'export const x = 1;')).message;
    expect(message).toMatch(/The default export must be a list of listeners: \S*bare\.ts$/);
    expect(message).not.toContain('good.ts');
  });

  it('shows the warnings of esbuild', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    bundleOf('message', [write('warned.ts', 'export default [];\nexport const x = { a: 1, a: 2 };\n')]);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/warned\.ts:2:/));
    warn.mockRestore();
  });
});

const sourceMap = z.looseObject({ sources: z.array(z.string()) });

function failureOf(...listeners: string[]): Error {
  try {
    bundleOf('message', listeners);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('The bundle was made.');
}

function nodeOptionsOf(stack: ReturnType<typeof createStack>): unknown[] {
  return resourcesOf(stack, 'AWS::Lambda::Function').flatMap(({ properties }) => {
    const { Variables } = environment.parse(properties['Environment']);
    return Variables['NODE_OPTIONS'] ?? [];
  });
}

const environment = z.object({ Variables: z.record(z.string(), z.string()) });
