import type { Functions, Outcome } from '../lambda/functions.ts';
import { asNumber, asText } from '../json.ts';
import { TemplateError } from '../template/template-error.ts';
import type { Resource } from '../template/template.ts';

/** A Lambda proxy integration: the function of a route, and its time-out. */
export interface Integration {
  readonly functionArn: string;
  readonly timeoutMs: number;
}

export type CallOutcome = Outcome | { readonly status: 'timeout' } | { readonly status: 'not-permitted' };

/** Reads an AWS_PROXY integration. Any other kind stops the start. */
export function readIntegration(resource: Resource, maxTimeoutMs: number): Integration {
  const type = asText(resource.properties.IntegrationType);
  if (type !== 'AWS_PROXY') {
    throw new TemplateError(
      `${resource.logicalId}: an integration of type ${type ?? 'none'} does not run locally.`,
    );
  }
  return {
    functionArn: functionArnOf(asText(resource.properties.IntegrationUri), resource.logicalId),
    timeoutMs: Math.min(asNumber(resource.properties.TimeoutInMillis) ?? maxTimeoutMs, maxTimeoutMs),
  };
}

/** The function inside `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<arn>/invocations`, or the bare ARN. */
export function functionArnOf(uri: string | undefined, logicalId: string): string {
  const arn = /\/functions\/(arn:[^/]+)\/invocations$/.exec(uri ?? '')?.[1];
  if (arn !== undefined) return arn;
  if (uri?.startsWith('arn:') && uri.includes(':lambda:') && uri.includes(':function:')) return uri;
  throw new TemplateError(`${logicalId}: its URI names no Lambda function.`);
}

/** Invokes the function as API Gateway does: it needs a permission for `sourceArn`, and has a time-out. */
export async function callFunction(
  functions: Pick<Functions, 'byArn'>,
  integration: Integration,
  sourceArn: string,
  event: unknown,
  lane?: unknown,
): Promise<CallOutcome> {
  const target = functions.byArn(integration.functionArn);
  if (!target?.permits('apigateway.amazonaws.com', sourceArn)) return { status: 'not-permitted' };
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<CallOutcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({ status: 'timeout' });
    }, integration.timeoutMs);
  });
  try {
    return await Promise.race([target.invoke(event, lane), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why a call failed, for the log. It names the kind of error. The message of an error may quote a body or a token. */
export function failureOf(outcome: CallOutcome, sourceArn: string): string | undefined {
  switch (outcome.status) {
    case 'ok':
      return undefined;
    case 'error':
      return `the function failed with ${outcome.errorType}`;
    case 'not-permitted':
      return `no AWS::Lambda::Permission lets apigateway.amazonaws.com invoke the function from ${sourceArn}`;
    default:
      return `the function call ended in: ${outcome.status}`;
  }
}
