#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readArguments, run, UsageError } from '../../cli/command-line.ts';
import { readCdkApp } from './cdk-app.ts';
import { cloudFlags, cloudFlagsHelp, readCloudFlags } from './cloud-flags.ts';
import { describeStacks, runUntilStopped, stopSignal, synthesise } from './run-cloud.ts';

const usage = `switchboard-local [cdk.out] [--port 8080] [--watch] [--stack NAME] [--parameter NAME=VALUE] [-c NAME=VALUE]
  [--strict] [--data DIR] [--allow-origin ORIGIN] [--faults LIST] [--clock-speed N]

Runs a CDK app with WebSocket or HTTP APIs on this machine. In the folder of an app, it first synthesises the app by the
command of its cdk.json. Given a folder such as cdk.out, it runs what "cdk synth" wrote there. Ctrl-C ends it.

${cloudFlagsHelp}
  -c NAME=VALUE     a context value for the synthesis, as for "cdk synth"

Exit code 0: ended by Ctrl-C. 1: the app cannot run. 2: wrong use.`;

await run(async () => {
  const flags = { ...cloudFlags, context: { type: 'string', short: 'c', multiple: true } } as const;
  const { values, positionals } = readArguments(usage, flags);
  const [given, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(rest[0])}. See --help.`);
  const options = readCloudFlags(values);
  const stop = stopSignal();
  const readApp = () => (given === undefined ? readCdkApp(process.cwd(), values.context) : undefined);
  const app = readApp();
  if (values.watch && app === undefined) {
    throw new UsageError('--watch needs an app to synthesise: a folder whose cdk.json names an "app".');
  }
  if (app) {
    console.log('Synthesising …');
    await synthesise(app, stop);
  }
  const assembly = app?.assembly ?? resolve(given ?? 'cdk.out');
  if (!existsSync(join(assembly, 'manifest.json'))) {
    throw new UsageError(`${assembly} is no synthesised CDK app: it has no manifest.json. (cdk synth)`);
  }
  await runUntilStopped({
    cloud: { ...options, assembly, onLog: console.log },
    stop,
    // A cdk.json that names no app any more leaves the app as it was.
    watched: app && values.watch ? () => readApp() ?? app : undefined,
    welcome: (cloud) =>
      [
        `Ready at ${cloud.url}/`,
        ...describeStacks(cloud),
        '',
        'Ctrl-C ends it. One line per request:',
        '',
      ].join('\n'),
  });
});
