import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import readline from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Client } from '../harness/client.ts';

const app = `
import { App, Stack } from 'aws-cdk-lib';
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';

const stack = new Stack(new App(), 'Watched');
const handler = (id) => new Function(stack, id, {
  code: Code.fromAsset('code'), handler: 'index.handler', runtime: Runtime.NODEJS_24_X,
  environment: { GREETING: stack.node.tryGetContext('greeting') },
});
const api = new WebSocketApi(stack, 'Api', {
  routeSelectionExpression: '$request.body.type',
  connectRouteOptions: { integration: new WebSocketLambdaIntegration('OnConnect', handler('Connect')) },
});
api.addRoute('$default', {
  integration: new WebSocketLambdaIntegration('OnMessage', handler('Message')), returnResponse: true,
});
new WebSocketStage(stack, 'Stage', { webSocketApi: api, stageName: 'live', autoDeploy: true });
`;

const handler = (version: string) =>
  `exports.handler = async () => ({ statusCode: 200, body: process.env.GREETING + ' ${version}' });`;

/** Runs `switchboard-local --watch` in the folder of a CDK app. */
async function watchApp() {
  const folder = mkdtempSync(join(tmpdir(), 'watched-app-'));
  const save = (file: string, text: string): void => {
    writeFileSync(join(folder, file), text);
  };
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'code'));
  save('cdk.json', JSON.stringify({ app: 'node app.mjs', context: { greeting: 'hello' } }));
  save('app.mjs', app);
  save('code/index.js', handler('one'));

  const root = process.cwd();
  const command = [join(root, 'local/cli/switchboard-local.ts'), '--watch', '--port', '0'];
  const tsx = join(root, 'node_modules/tsx/dist/esm/index.mjs');
  const child = spawn(process.execPath, ['--import', tsx, ...command], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const lines: AsyncIterator<string> = readline
    .createInterface({ input: child.stdout })
    [Symbol.asyncIterator]();
  /** Resolves to the lines up to the first one that matches. */
  async function until(pattern: RegExp): Promise<string> {
    const seen: string[] = [];
    for (;;) {
      const line: IteratorResult<string, unknown> = await lines.next();
      if (line.done) throw new Error(`The log ended before ${String(pattern)}:\n${seen.join('\n')}`);
      seen.push(line.value);
      if (pattern.test(line.value)) return seen.join('\n');
    }
  }
  const url = /Ready at http(\S+)\//.exec(await until(/One line per request/))?.[1] ?? '';
  const client = await new Client(`ws${url}/live`).open();
  const ask = async (): Promise<string> => {
    client.send({ type: 'x' });
    return client.frames.next();
  };
  return { child, folder, save, until, client, ask };
}

// It starts processes, which is slow on a busy machine.
describe('switchboard-local --watch', { timeout: 180_000 }, () => {
  it('runs each saved version on the same connection, and the last good one after a mistake', async () => {
    const { child, folder, save, until, client, ask } = await watchApp();
    expect(await ask()).toBe('hello one');

    save('code/index.js', handler('two'));
    await until(/^Updated in \d+ ms\.$/);
    expect(await ask()).toBe('hello two');

    save('app.mjs', `${app}\nconst broken = ;\n`);
    const complaint = await until(/^The last version runs on\.$/);
    expect(complaint).toContain('const broken = ;');
    expect(complaint).toContain('SyntaxError');
    expect(await ask()).toBe('hello two');

    save('app.mjs', app.replace("tryGetContext('greeting')", "tryGetContext('greeting') + ' again'"));
    await until(/^Updated in \d+ ms\.$/);
    expect(await ask()).toBe('hello again two');

    const standby = processesIn(folder);
    expect(standby.length).toBeGreaterThan(1);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect((await client.closed).code).toBe(1001);
    await expect.poll(() => processesIn(folder), { timeout: 15_000 }).toEqual([]);
  });
});

/** The ids of the processes whose working directory is this folder. */
function processesIn(folder: string): readonly string[] {
  return readdirSync('/proc').filter((id) => /^\d+$/.test(id) && workingFolderOf(id) === folder);
}

function workingFolderOf(id: string): string | undefined {
  try {
    return readlinkSync(`/proc/${id}/cwd`);
  } catch (cause) {
    // It has ended meanwhile, or is not ours.
    if (cause instanceof Error && 'code' in cause) return undefined;
    throw cause;
  }
}
