#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, run, UsageError } from '../../cli/command-line.ts';
import {
  cloudFlags,
  cloudFlagsHelp,
  describeStacks,
  readCloudFlags,
  runUntilStopped,
  stopSignal,
} from './run-cloud.ts';

const usage = `switchboard-local [cdk.out] [--port 8080] [--stack NAME] [--parameter NAME=VALUE] [--strict]
  [--data DIR] [--faults LIST] [--clock-speed N]

Runs a synthesised CDK app with WebSocket or HTTP APIs on this machine. "cdk synth" writes the folder cdk.out.
Ctrl-C ends it.

${cloudFlagsHelp}

Exit code 0: ended by Ctrl-C. 1: the app cannot run. 2: wrong use.`;

await run(async () => {
  const { values, positionals } = readArguments(usage, cloudFlags);
  const [assembly = 'cdk.out', ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(rest[0])}. See --help.`);
  const options = readCloudFlags(values);
  if (!existsSync(join(assembly, 'manifest.json'))) {
    throw new UsageError(`${assembly} is no synthesised CDK app: it has no manifest.json. (cdk synth)`);
  }
  await runUntilStopped({ ...options, assembly, onLog: console.log }, stopSignal(), (cloud) =>
    [
      `Ready at ${cloud.url}/`,
      ...describeStacks(cloud),
      '',
      'Ctrl-C ends it. One line per request:',
      '',
    ].join('\n'),
  );
});
