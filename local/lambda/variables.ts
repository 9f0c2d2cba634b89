import type { FunctionSettings } from './settings.ts';
import type { Credentials } from '../sigv4/key-ring.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
export function variablesOf(
  options: {
    settings: FunctionSettings;
    credentials: Required<Credentials>;
    region: string;
    endpoint: string;
  },
  folder: string,
): Readonly<Record<string, string>> {
  const { settings, credentials, region, endpoint } = options;
  return {
    AWS_ENDPOINT_URL: endpoint,
    // Functions run on the Node of this machine, whatever the template says.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...settings.variables,
    _HANDLER: settings.handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${settings.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: settings.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_TASK_ROOT: folder,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export function contextOf(
  settings: FunctionSettings,
  awsRequestId: string,
): Readonly<Record<string, unknown>> {
  return {
    functionName: settings.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: settings.arn,
    memoryLimitInMB: String(settings.memoryMb),
    awsRequestId,
    logGroupName: settings.logGroup,
    logStreamName: logStream,
  };
}

const logStream = 'local/[$LATEST]';
