import { spawnSync } from 'node:child_process';
import { CommandError, run, UsageError } from '../cli/command-line.ts';

const suites = {
  local: 'connects, round trips and publishes of the laptop cloud, compared with a bare ws server',
  'fan-out':
    'a broadcast to 100,000 sessions, compared with the time that its rate allows, also with killed workers',
  schedule: 'messages that are scheduled for one moment: how long after it they arrive',
  hostile: 'the round trips of a client beside connections of another tenant that send all they may',
  connections: 'posts to connections, compared with the SDK and other HTTP clients',
};

const usage = `npm run bench -- [SUITE] [flags of the suite]

Runs one suite, or all of them. Each suite measures its peers in the same run, so compare ratios, not times.

${Object.entries(suites)
  .map(([name, what]) => `  ${name.padEnd(12)} ${what}`)
  .join('\n')}`;

await run(() => {
  const [suite, ...flags] = process.argv.slice(2);
  if (suite === '--help' || suite === '-h') {
    console.log(usage);
    return Promise.resolve();
  }
  const names = Object.keys(suites);
  if (suite !== undefined && !names.includes(suite)) {
    throw new UsageError(`There is no suite ${JSON.stringify(suite)}. The suites are ${names.join(', ')}.`);
  }
  for (const name of suite === undefined ? names : [suite]) {
    const { status } = spawnSync(process.execPath, ['--import', 'tsx', `bench/${name}.ts`, ...flags], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new CommandError(`The suite ${name} failed.`);
  }
  return Promise.resolve();
});
