import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly body?: string;
}

/** Keys and region of the stack that runs on this machine. */
export const localKeys = { accessKeyId: 'local', secretAccessKey: 'local' };
export const localRegion = 'us-east-1';

/** Sends a request signed with SigV4 for API Gateway: with the default AWS credential chain, or the local keys. */
export async function sendSigned({ method, url, body }: SignedRequest): Promise<Response> {
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  const signer = new SignatureV4({
    service: 'execute-api',
    // Hosts of API Gateway read {apiId}.execute-api.{region}.{suffix}.
    region: isLocal ? localRegion : (url.hostname.split('.')[2] ?? localRegion),
    credentials: isLocal ? localKeys : defaultProvider(),
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body }),
  });
  return fetch(url, { method, headers, ...(body !== undefined && { body }) });
}
