import { asNumber, asRecord, asText, asTexts, toText } from '../json.ts';
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
  /** The folders of its layers. A later one wins. */
  readonly layers: readonly string[];
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
  const name = deployment.physicalId(logicalId);
  return {
    logicalId,
    name,
    arn: deployment.attribute(logicalId, 'Arn'),
    runtime,
    handler: asText(properties.Handler) ?? 'index.handler',
    code: codeOf(deployment, resource, properties.Code),
    layers: layersOf(deployment, resource),
    variables: variablesOf(resource),
    timeoutSeconds: asNumber(properties.Timeout) ?? 3,
    memoryMb: asNumber(properties.MemorySize) ?? 128,
    reservedConcurrency: asNumber(properties.ReservedConcurrentExecutions),
    logGroup: asText(asRecord(properties.LoggingConfig).LogGroup) ?? `/aws/lambda/${name}`,
  };
}

/** All other runtimes are inert. A container image has none. */
export function hasNodeRuntime({ properties }: Resource): boolean {
  return asText(properties.Runtime)?.startsWith('nodejs') === true;
}

function codeOf(deployment: Deployment, { logicalId }: Resource, code: unknown): FunctionSettings['code'] {
  const { S3Key: key, ZipFile: inline } = asRecord(code);
  if (typeof inline === 'string') return { inline };
  return { folder: assetOf(deployment, logicalId, key) };
}

function layersOf(deployment: Deployment, { logicalId, properties }: Resource): readonly string[] {
  const known = deployment.ofType('AWS::Lambda::LayerVersion');
  return asTexts(properties.Layers).map((arn) => {
    const layer = known.find((each) => deployment.physicalId(each.logicalId) === arn);
    if (layer === undefined)
      throw new TemplateError(`${logicalId}: its layer ${arn} is not in the template.`);
    return assetOf(deployment, layer.logicalId, asRecord(layer.properties.Content).S3Key);
  });
}

function assetOf(deployment: Deployment, logicalId: string, key: unknown): string {
  const folder = typeof key === 'string' ? deployment.assetFolders.get(key) : undefined;
  if (folder === undefined)
    throw new TemplateError(`${logicalId}: its code is not an asset of this assembly.`);
  return folder;
}

/** "Environment variables: 4 KB, in aggregate": https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const maxVariablesBytes = 4 * 1024;

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
  const variables = Object.fromEntries(entries.map(([name, value]) => [name, toText(value)]));
  // Lambda measures the JSON text of all of them, which its error quotes:
  // https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594
  const bytes = Buffer.byteLength(JSON.stringify(variables));
  if (bytes > maxVariablesBytes)
    throw new TemplateError(
      `${logicalId}: its variables take ${String(bytes)} bytes; Lambda allows ${String(maxVariablesBytes)}.`,
    );
  return variables;
}
