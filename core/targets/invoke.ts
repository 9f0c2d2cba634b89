import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { readText } from './answer.ts';

/** A log line needs the beginning of an error only. */
const maxLoggedCharacters = 1000;

/** The function itself failed, and not the call. The message quotes what it said, which may hold what it was given. */
export class FunctionError extends Error {}

/**
 * Invokes a function with events (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html). One signed request
 * takes the place of the SDK's client, which would make the bundle a quarter larger for stacks without targets too. It
 * is not retried: a client waits, and the function may have acted already.
 */
export function createInvoke(
  functionArn: string,
  { endpoint }: { readonly endpoint: string | undefined },
): (event: object, signal: AbortSignal) => Promise<string> {
  const [, partition = '', , region = ''] = functionArn.split(':');
  const url = new URL(
    `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`,
    endpoint ?? endpointOf(partition, region),
  );
  const signer = new SignatureV4({
    service: 'lambda',
    region,
    credentials: defaultProvider(),
    sha256: Sha256,
  });
  return async (event, signal) => {
    const body = JSON.stringify(event);
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host, 'content-type': 'application/json' },
      body,
    });
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    const answer = await readText(response);
    // A function that throws is answered with 200 and this header.
    const functionError = response.headers.get('x-amz-function-error');
    const error = functionError ?? response.headers.get('x-amzn-errortype');
    if (response.ok && error === null) return answer;
    const message = `Lambda answered ${response.status} ${error ?? ''}: ${answer.slice(0, maxLoggedCharacters)}`;
    throw functionError === null ? new Error(message) : new FunctionError(message);
  };
}

/** https://docs.aws.amazon.com/general/latest/gr/lambda-service.html */
function endpointOf(partition: string, region: string): string {
  return `https://lambda.${region}.${partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'}`;
}
