import { asList, asNumber, asRecord, asText, toText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Deployment, Resource } from '../template/template.ts';

/** One function, as the template describes it. */
export interface FunctionSettings {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly runtime: string;
  /** `index.handler` */
  readonly handler: string;
  readonly code: { readonly folder: string } | { readonly inline: string };
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly reservedConcurrency: number | undefined;
  readonly logGroup: string;
}

/** Defaults are Lambda's: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html */
export function readFunction(deployment: Deployment, resource: Resource): FunctionSettings {
  const { logicalId, properties } = resource;
  const runtime = asText(properties.Runtime) ?? '';
  if (!runtime.startsWith('nodejs')) {
    throw new TemplateError(
      `${logicalId}: the runtime ${runtime || 'of a container image'} cannot run here, only nodejs.`,
    );
  }
  if (asList(properties.Layers).length > 0) throw new TemplateError(`${logicalId}: layers cannot run here.`);
  const name = deployment.physicalId(logicalId);
  return {
    logicalId,
    name,
    arn: deployment.attribute(logicalId, 'Arn'),
    runtime,
    handler: asText(properties.Handler) ?? 'index.handler',
    code: codeOf(deployment, resource),
    variables: variablesOf(resource),
    timeoutSeconds: asNumber(properties.Timeout) ?? 3,
    memoryMb: asNumber(properties.MemorySize) ?? 128,
    reservedConcurrency: asNumber(properties.ReservedConcurrentExecutions),
    logGroup: asText(asRecord(properties.LoggingConfig).LogGroup) ?? `/aws/lambda/${name}`,
  };
}

function codeOf(deployment: Deployment, { logicalId, properties }: Resource): FunctionSettings['code'] {
  const { S3Key: key, ZipFile: inline } = asRecord(properties.Code);
  if (typeof inline === 'string') return { inline };
  const folder = typeof key === 'string' ? deployment.assetFolders.get(key) : undefined;
  if (folder === undefined)
    throw new TemplateError(`${logicalId}: its code is not an asset of this assembly.`);
  return { folder };
}

/** Lambda refuses a function that sets one of these variables. */
const reservedNames = new Set([
  ...['_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_EXECUTION_ENV'],
  ...['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_VERSION'],
  ...['AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME'],
  ...['AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  ...['AWS_LAMBDA_RUNTIME_API', 'LAMBDA_TASK_ROOT', 'LAMBDA_RUNTIME_DIR'],
]);

function variablesOf({ logicalId, properties }: Resource): Readonly<Record<string, string>> {
  const entries = Object.entries(asRecord(asRecord(properties.Environment).Variables));
  const reserved = entries.find(([name]) => reservedNames.has(name));
  if (reserved !== undefined)
    throw new TemplateError(`${logicalId}: the variable ${reserved[0]} is reserved by Lambda.`);
  return Object.fromEntries(entries.map(([name, value]) => [name, toText(value)]));
}
