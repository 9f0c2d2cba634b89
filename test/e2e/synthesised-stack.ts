import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { SwitchboardStack, type SwitchboardStackSettings } from '../../lib/switchboard-stack.ts';
import { startStack, type Stack } from './stack.ts';

/** Synthesises a stack with these settings and what `add` adds to it, and starts it. */
export async function startSynthesised(
  settings: SwitchboardStackSettings,
  add: (stack: SwitchboardStack) => void,
): Promise<Stack> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'switchboard-own-'));
  const app = new App({
    outdir: folder,
    context: { '@aws-cdk/aws-iam:minimizePolicies': true },
    builtinCloudFormationValidation: false,
  });
  add(new SwitchboardStack(app, 'Switchboard', settings));
  app.synth();
  const started = await startStack({ assembly: folder });
  return {
    ...started,
    async close() {
      await started.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What targets need: a function `Orders` in plain JavaScript, and the secret of an endpoint. */
export function targetParts(stack: SwitchboardStack, code: string) {
  return {
    orders: new Function(stack, 'Orders', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline(code),
    }),
    secret: new Secret(stack, 'HookSecret', {
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    }),
  };
}
