import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import { addExamples, exampleClaims, exampleListeners } from '../examples/index.ts';
import { readContext, SettingsError } from '../lib/settings/settings.ts';
import { SwitchboardStack } from '../lib/switchboard-stack.ts';

// The CLI passes the context of cdk.json, with `-c name=value` on top. Without the CLI (`npm start`, tests) the context
// is read here. App prefers the CLI's values.
const cdkJson = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')));

try {
  const app = new App({
    context: cdkJson.context,
    analyticsReporting: false,
  });
  const { examples, stackName, ...settings } = readContext(app);
  const withExamples = {
    ...settings,
    presence: true,
    listeners: [...settings.listeners, exampleListeners],
    claims: [...new Set([...settings.claims, ...exampleClaims])],
    scheduledPublishes: true,
  };
  const { switchboard } = new SwitchboardStack(app, 'Switchboard', examples ? withExamples : settings, {
    stackName,
  });
  if (examples) addExamples(switchboard);
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
