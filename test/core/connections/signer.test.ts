import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createSigner,
  encodeSegment,
  sha256Hex,
  type SigningCredentials,
} from '../../../core/connections/signer.ts';

const host = 'abcdef123.execute-api.us-east-1.amazonaws.com';
const contentType = 'application/octet-stream';

/** SHA-256 in the shape that the SDK's signer asks for. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#hash = createHash('sha256');
    else this.#hash = createHmac('sha256', typeof secret === 'string' ? secret : bytesOf(secret));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error('The signer never resets.');
  }
}

const connectionId = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9+/_-]{3,40}={0,2}$/),
  fc.string({ minLength: 3, maxLength: 40 }),
);
const stage = fc.constantFrom('', '/live', '/a/b', '/prod-1_x');
const date = fc.date({ min: new Date('2015-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
const credentials = fc.record({
  accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
  secretAccessKey: fc.string({ minLength: 1, maxLength: 40 }),
  sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{10,400}$/), { nil: undefined }),
});

describe('the signature', () => {
  const sign = createSigner({ region: 'us-east-1', service: 'execute-api' });

  it('is the one that the AWS SDK makes, for any id, payload, date and credential', async () => {
    await fc.assert(
      fc.asyncProperty(
        connectionId,
        stage,
        fc.uint8Array(),
        date,
        credentials,
        async (id, prefix, payload, when, who) => {
          const path = `${prefix}/@connections/${encodeSegment(id)}`;
          const request = { method: 'POST', host, path, contentType, payloadHash: sha256Hex(payload) };
          const ours = sign(request, who, when.getTime());
          const theirs = await sdkHeaders('POST', path, who, when, payload);
          expect({
            authorization: ours.authorization,
            'x-amz-date': ours.date,
            'x-amz-security-token': ours.sessionToken,
          }).toEqual({ 'x-amz-security-token': undefined, ...theirs });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is the one that the AWS SDK makes for a DELETE, which has no body and no content type', async () => {
    await fc.assert(
      fc.asyncProperty(connectionId, date, credentials, async (id, when, who) => {
        const path = `/live/@connections/${encodeSegment(id)}`;
        const request = { method: 'DELETE', host, path, payloadHash: sha256Hex('') };
        const theirs = await sdkHeaders('DELETE', path, who, when);
        expect(sign(request, who, when.getTime()).authorization).toBe(theirs.authorization);
      }),
    );
  });

  it.each(['/', '/live/', '//live', '/a/./b', '/a/../b', '/../a', '/a/.', '/a..b/.c'])(
    'is the one that the AWS SDK makes for the path %s',
    async (path) => {
      const who = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
      const request = { method: 'DELETE', host, path, payloadHash: sha256Hex('') };
      const theirs = await sdkHeaders('DELETE', path, who, new Date(0));
      expect(sign(request, who, 0).authorization).toBe(theirs.authorization);
    },
  );

  it('uses the key of its own day and credential, although the last key is cached', async () => {
    const path = '/live/@connections/L0SM9cOFvHcCIhw%3D';
    const first = { accessKeyId: 'AKIDFIRST', secretAccessKey: 'first' };
    const second = { accessKeyId: 'AKIDSECOND', secretAccessKey: 'second', sessionToken: 'token' };
    for (const who of [first, second, first]) {
      for (const when of [
        '2026-11-20T23:59:59.999Z',
        '2026-11-21T00:00:00.000Z',
        '2026-11-20T23:59:59.999Z',
      ]) {
        const request = { method: 'POST', host, path, contentType, payloadHash: sha256Hex('hi') };
        const theirs = await sdkHeaders('POST', path, who, new Date(when), Buffer.from('hi'));
        expect(sign(request, who, Date.parse(when)).authorization).toBe(theirs.authorization);
      }
    }
  });
});

describe('a connection id in a path', () => {
  it('has everything but unreserved characters percent-encoded', () => {
    expect(encodeSegment("a/b+c='()*!~x.y-z_=")).toBe('a%2Fb%2Bc%3D%27%28%29%2A%21~x.y-z_%3D');
  });
});

async function sdkHeaders(
  method: string,
  path: string,
  credentials: SigningCredentials,
  signingDate: Date,
  body?: Uint8Array,
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new SignatureV4({
    service: 'execute-api',
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    sha256: Sha256,
    applyChecksum: false,
  });
  const headers: Record<string, string> = { host, ...(body && { 'content-type': contentType }) };
  const request = { method, protocol: 'https:', hostname: host, path, headers, ...(body && { body }) };
  const signed = await signer.sign(request, { signingDate });
  const { host: _host, 'content-type': _type, ...made } = signed.headers;
  return made;
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
