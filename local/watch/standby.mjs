/**
 * Preloaded into every Node process of a synthesis (`NODE_OPTIONS=--import`). The process that runs the app loads the CDK
 * and then waits for a byte on its standard input, so a changed file costs only the run of the app. It is plain
 * JavaScript, because it runs before any TypeScript loader.
 */
import { readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** Programs that start the app in another process. That process waits, not they. */
const launcher = /[\\/](?:npm|npx|tsx|yarn|pnpm|corepack)[\\/]/;

/** The modules that a CDK app loads. The app gets them from Node's cache. */
const modules = [
  'aws-cdk-lib',
  ...[
    ...['aws-apigatewayv2', 'aws-apigatewayv2-authorizers', 'aws-apigatewayv2-integrations'],
    ...['aws-cloudwatch', 'aws-dynamodb', 'aws-events', 'aws-iam', 'aws-lambda', 'aws-lambda-nodejs'],
    ...['aws-logs', 'aws-s3', 'aws-secretsmanager', 'aws-sqs', 'aws-ssm'],
  ].map((name) => `aws-cdk-lib/${name}`),
];

if (isMainThread && process.env.SWITCHBOARD_STANDBY && !launcher.test(process.argv[1] ?? '')) {
  // Processes that the app starts must not wait.
  delete process.env.SWITCHBOARD_STANDBY;
  delete process.env.NODE_OPTIONS;
  loadModules();
  // The end of the input means that the watcher has ended.
  if (readSync(0, Buffer.alloc(1)) === 0) process.exit(0);
}

function loadModules() {
  const require = createRequire(join(process.cwd(), 'package.json'));
  for (const name of modules) {
    try {
      require(name);
    } catch (error) {
      // Without the CDK, the app itself says what is missing.
      if (error?.code !== 'MODULE_NOT_FOUND' && error?.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    }
  }
}
