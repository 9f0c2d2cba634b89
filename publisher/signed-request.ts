import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Gives the keys of each request, so that they can be renewed. */
export type AwsKeysProvider = () => Promise<AwsKeys>;

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly body?: string;
  /** The AWS service that the signature names. @default 'execute-api', which is API Gateway */
  readonly service?: string;
  /** Needed behind a custom domain. @default - the Region in the host's name */
  readonly region?: string;
  /** @default - the default AWS credential chain; for a loopback address the local keys */
  readonly credentials?: AwsKeysProvider;
  readonly signal?: AbortSignal;
}

/** Keys and Region of the laptop cloud. */
export const localKeys = { accessKeyId: 'local', secretAccessKey: 'local' };
export const localRegion = 'us-east-1';

/** The Region that a host names, as in `{apiId}.execute-api.{region}.{suffix}`. A custom domain names none. */
export function regionOf({ hostname }: URL): string | undefined {
  return isLocal(hostname) ? localRegion : /^[^.]+\.execute-api\.([^.]+)\./.exec(hostname)?.[1];
}

/** Sends a JSON request with an AWS signature (SigV4). */
export async function sendSigned(request: SignedRequest): Promise<Response> {
  const { method, url, body, signal } = request;
  const content = body === undefined ? {} : { body };
  const { headers } = await signerFor(request).sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...content,
  });
  return fetch(url, { method, headers, ...content, ...(signal && { signal }) });
}

function signerFor({ url, service = 'execute-api', credentials, ...given }: SignedRequest): SignatureV4 {
  const region = given.region ?? regionOf(url);
  if (region === undefined) throw new Error(`${url.hostname} names no Region: set the option region.`);
  return new SignatureV4({
    service,
    region,
    credentials: credentials ?? (isLocal(url.hostname) ? localKeys : chain()),
    sha256: Sha256,
  });
}

function isLocal(hostname: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}

let defaultChain: AwsKeysProvider | undefined;

/** One chain for the process: it keeps the keys until they expire, and may ask the network for them. */
function chain(): AwsKeysProvider {
  return (defaultChain ??= defaultProvider());
}
