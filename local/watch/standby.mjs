/**
 * Preloaded into the Node processes of a synthesis under live reload (`NODE_OPTIONS=--import`). A process that runs the app
 * loads the CDK, and then waits on a socket for the word to go on. So a changed file costs only the run of the app. It is
 * plain JavaScript, because it runs before any TypeScript loader.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

/** Programs that start the app in another process, which is the one to wait. */
const launcher = /[\\/]node_modules[\\/](?:npm|tsx|yarn|pnpm|corepack)[\\/]/;

/** The modules that a CDK app loads. The app gets them from Node's cache. */
const modules = [
  'switchboard',
  'aws-cdk-lib',
  ...[
    ...['aws-apigatewayv2', 'aws-apigatewayv2-authorizers', 'aws-apigatewayv2-integrations'],
    ...['aws-cloudwatch', 'aws-dynamodb', 'aws-events', 'aws-iam', 'aws-lambda', 'aws-lambda-nodejs'],
    ...['aws-logs', 'aws-s3', 'aws-secretsmanager', 'aws-sqs', 'aws-ssm'],
  ].map((name) => `aws-cdk-lib/${name}`),
];

const path = process.env.SWITCHBOARD_STANDBY;
if (isMainThread && path !== undefined && !launcher.test(process.argv[1] ?? '')) {
  // Processes that the app starts must not wait.
  delete process.env.SWITCHBOARD_STANDBY;
  delete process.env.NODE_OPTIONS;
  await loadModules();
  const socket = connect(path);
  const word = once(socket, 'data').then(() => 'go on');
  const end = once(socket, 'close').then(() => 'the watcher has ended');
  if ((await Promise.race([word, end])) !== 'go on') process.exit(0);
  socket.destroy();
}

async function loadModules() {
  const require = createRequire(join(process.cwd(), 'package.json'));
  for (const name of modules) {
    try {
      const file = require.resolve(name);
      // A module outside node_modules may be the source that changes.
      if (file.includes(`${sep}node_modules${sep}`)) await import(pathToFileURL(file).href);
    } catch (error) {
      // Without the CDK, the app itself says what is missing.
      if (error?.code !== 'MODULE_NOT_FOUND' && error?.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    }
  }
}
