import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import { readContext, SettingsError } from '../lib/settings.ts';
import { SwitchboardStack } from '../lib/switchboard-stack.ts';

// The CLI hands over cdk.json's context with `-c name=value` on top; without the CLI (`npm start`, tests) the file
// itself is the context. App gives what the CLI says precedence.
const cdkJson = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')));

try {
  const app = new App({
    context: cdkJson.context,
    analyticsReporting: false,
    // Takes longer than all the rest. Before a deployment it is worth that; `npm start` waits for every synthesis, and
    // the tests validate the template anyway.
    builtinCloudFormationValidation: process.env['CDK_CLI_VERSION'] !== undefined,
  });
  new SwitchboardStack(app, 'Switchboard', readContext(app));
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
