import { signedService } from '../sigv4/authorization.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';
import type { Reply } from './reply.ts';

const code = 'NotImplemented';

/**
 * The answer to a call of a service that does not run here, as an error of the protocol that the caller speaks. SDKs do
 * not try a 501 again. https://smithy.io/2.0/aws/protocols/index.html
 */
export function notRunHere(request: HttpRequest): Reply {
  const target = header(request, 'x-amz-target');
  const service = signedService(request) ?? target?.split('.')[0] ?? 'this service';
  const message = `This call of ${service} does not run on this machine.`;
  const detail = `${service} does not run here`;
  return { status: 501, detail, ...errorIn(protocolOf(request, service), message) };
}

type Protocol = 'json' | 'query' | 'xml' | 'cbor';

function protocolOf(request: HttpRequest, service: string): Protocol {
  if (header(request, 'smithy-protocol') === 'rpc-v2-cbor') return 'cbor';
  if (header(request, 'content-type')?.startsWith('application/x-www-form-urlencoded')) return 'query';
  return ['s3', 'route53', 'cloudfront'].includes(service) ? 'xml' : 'json';
}

function errorIn(protocol: Protocol, message: string): Pick<Reply, 'headers' | 'body'> {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  switch (protocol) {
    case 'cbor':
      return {
        headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
        // A map of two entries: https://www.rfc-editor.org/rfc/rfc8949#section-3.1
        body: Buffer.concat([Buffer.from([0xa2]), ...['__type', code, 'message', message].map(cborText)]),
      };
    case 'query':
      return { headers: { 'content-type': 'text/xml' }, body: `<ErrorResponse>${error}</ErrorResponse>` };
    case 'xml':
      return { headers: { 'content-type': 'application/xml' }, body: error };
    case 'json':
      return {
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
        body: JSON.stringify({ __type: code, message }),
      };
  }
}

/** A text string of at most 255 bytes. */
function cborText(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([0x78, bytes.length]), bytes]);
}
