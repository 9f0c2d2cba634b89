import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { developer } from '../../../local/iam/roles.ts';
import { KeyRing, type Verification } from '../../../local/sigv4/key-ring.ts';
import type { HttpRequest } from '../../../local/sigv4/request.ts';

const now = new Date('2026-01-02T03:04:05Z');
const local = { accessKeyId: 'local', secretAccessKey: 'local' };
const keys = new KeyRing('us-east-1');
keys.add(developer('000000000000'), local);
const temporary = keys.issue({
  name: 'role',
  arn: 'arn:aws:sts::000000000000:assumed-role/role/fn',
  statements: [],
});

interface Unsigned {
  readonly method: string;
  /** Segments as they are meant, before any encoding. */
  readonly segments: readonly string[];
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signs as every AWS SDK does, and puts the request on the wire as Node's HTTP handler does. */
async function sign(
  { method, segments, query, headers, body }: Unsigned,
  options: { readonly service?: string; readonly credentials?: typeof local; readonly at?: Date } = {},
): Promise<HttpRequest> {
  const { service = 'execute-api', credentials = local, at = now } = options;
  const signer = new SignatureV4({ service, region: 'us-east-1', credentials, sha256: Sha256 });
  const path = `/${segments.map(encodeURIComponent).join('/')}`;
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path,
      query: { ...query },
      headers: { host: '127.0.0.1:8080', ...headers },
      body,
    },
    { signingDate: at },
  );
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  const lowered = Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    method,
    url: pairs.length > 0 ? `${path}?${pairs.join('&')}` : path,
    headers: Object.fromEntries(lowered),
    body: Buffer.from(body),
  };
}

class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret));
  }
  update(data: unknown): void {
    this.#hash.update(bytes(data));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error('The signer makes a new hash each time.');
  }
}

function bytes(data: unknown): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError('Only text and bytes are hashed.');
}

const plain: Unsigned = { method: 'POST', segments: ['publish'], query: {}, headers: {}, body: '{"a":1}' };

function reasonOf(verification: Verification): string {
  return verification.ok ? 'ok' : verification.reason;
}

describe('a signature', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const connectionId = fc.stringMatching(/^[A-Za-z0-9+/_-]{1,12}={0,2}$/);
  const request: fc.Arbitrary<Unsigned> = fc.record({
    method: fc.constantFrom('GET', 'POST', 'DELETE'),
    segments: fc.array(fc.oneof(connectionId, word, fc.constant('@connections')), {
      minLength: 1,
      maxLength: 4,
    }),
    query: fc.dictionary(word, fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })), {
      noNullPrototype: true,
      maxKeys: 5,
    }),
    headers: fc.record({ 'x-amz-meta': fc.stringMatching(/^[a-z]{1,4}( {1,3}[a-z=]{1,4}){0,3}$/) }),
    body: fc.string({ unit: 'grapheme', maxLength: 100 }),
  });
  // Clients resolve dot segments before they send. No signature covers its own header.
  const sendable = request.filter(
    ({ segments, query }) =>
      !segments.some((segment) => segment === '.' || segment === '..') &&
      // The signer itself loses a key of this name.
      !Object.keys(query).some((name) => name === '__proto__' || name.toLowerCase() === 'x-amz-signature'),
  );

  it('of the SDK is accepted for every path, query, header and body', async () => {
    await fc.assert(
      fc.asyncProperty(sendable, async (unsigned) => {
        const verification = keys.verify(await sign(unsigned), 'execute-api', now);
        expect(verification).toMatchObject({
          ok: true,
          principal: { name: 'local' },
          service: 'execute-api',
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is refused if anything that it covers has changed', async () => {
    await fc.assert(
      fc.asyncProperty(sendable, async (unsigned) => {
        const signed = await sign(unsigned);
        const changes: readonly Partial<HttpRequest>[] = [
          { method: 'PUT' },
          { url: `/x${signed.url}` },
          { body: Buffer.concat([signed.body, Buffer.from('x')]) },
          { headers: { ...signed.headers, 'x-amz-meta': 'another' } },
        ];
        for (const change of changes) {
          expect(reasonOf(keys.verify({ ...signed, ...change }, 'execute-api', now))).toBe('mismatch');
        }
      }),
      { numRuns: 50 },
    );
  });

  it('covers the path encoded twice, as for every service but S3', async () => {
    const signed = await sign({ ...plain, segments: ['live', '@connections', 'R1kmxc2VNjMCFIA='] });
    expect(signed.url).toBe('/live/%40connections/R1kmxc2VNjMCFIA%3D');
    expect(reasonOf(keys.verify(signed, 'execute-api', now))).toBe('ok');
    const raw = { ...signed, url: '/live/@connections/R1kmxc2VNjMCFIA=' };
    expect(reasonOf(keys.verify(raw, 'execute-api', now))).toBe('mismatch');
  });

  it('may leave out the payload if it says so', async () => {
    const signed = await sign({ ...plain, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
    const other = { ...signed, body: Buffer.from('another body') };
    expect(reasonOf(keys.verify(other, 'execute-api', now))).toBe('ok');
  });

  it('is valid from five minutes before its time to five minutes after', async () => {
    const signed = await sign(plain);
    const after = (seconds: number): string =>
      reasonOf(keys.verify(signed, 'execute-api', new Date(now.getTime() + seconds * 1000)));
    expect([after(-301), after(-299), after(299), after(301)]).toEqual(['expired', 'ok', 'ok', 'expired']);
  });

  it('is for one service and one Region', async () => {
    const signed = await sign(plain, { service: 'lambda' });
    expect(keys.verify(signed, 'execute-api', now)).toMatchObject({
      reason: 'mismatch',
      message: "Credential should be scoped to correct service: 'execute-api'.",
    });
    expect(reasonOf(new KeyRing('eu-west-1').verify(signed, 'lambda', now))).toBe('unknown_key');
  });

  it('of temporary credentials needs their token', async () => {
    const signed = await sign(plain, { credentials: temporary });
    expect(keys.verify(signed, 'execute-api', now)).toMatchObject({ ok: true, principal: { name: 'role' } });
    const without = { ...signed, headers: { ...signed.headers, 'x-amz-security-token': undefined } };
    expect(reasonOf(keys.verify(without, 'execute-api', now))).toBe('unknown_key');
    expect(keys.principalOf(temporary.accessKeyId)?.name).toBe('role');
  });

  it('with a wrong secret or an unknown key is refused with its own reason', async () => {
    const wrong = await sign(plain, { credentials: { accessKeyId: 'local', secretAccessKey: 'guess' } });
    const unknown = await sign(plain, { credentials: { accessKeyId: 'AKIA', secretAccessKey: 'local' } });
    expect(reasonOf(keys.verify(wrong, 'execute-api', now))).toBe('mismatch');
    expect(reasonOf(keys.verify(unknown, 'execute-api', now))).toBe('unknown_key');
  });

  it('that is missing or malformed is refused with its own reason, without an exception', async () => {
    const signed = await sign(plain);
    const withHeader = (authorization?: string): string =>
      reasonOf(keys.verify({ ...signed, headers: { ...signed.headers, authorization } }, 'execute-api', now));
    expect(withHeader()).toBe('missing');
    expect(withHeader('Bearer eyJ')).toBe('missing');
    expect(withHeader('AWS4-HMAC-SHA256 Credential=local')).toBe('malformed');
    expect(withHeader('AWS4-HMAC-SHA256')).toBe('malformed');
    expect(reasonOf(keys.verify({ ...signed, url: '/publish?%zz' }, 'execute-api', now))).toBe('malformed');
    fc.assert(
      fc.property(fc.string(), fc.string(), (url, text) => {
        const request = {
          ...signed,
          url,
          headers: { ...signed.headers, authorization: `AWS4-${text}`, 'x-amz-date': text },
        };
        expect(keys.verify(request, 'execute-api', now).ok).toBe(false);
      }),
    );
  });
});

describe('curl --aws-sigv4', () => {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const verification = keys.verify({ method, url, headers, body }, 'execute-api', new Date());
      response.end(reasonOf(verification));
    });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('signs a request that is accepted', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${String(typeof address === 'object' && address ? address.port : 0)}/publish`;
    const curl = async (...more: readonly string[]): Promise<string> => {
      const common = [
        '-s',
        '--aws-sigv4',
        'aws:amz:us-east-1:execute-api',
        '-H',
        'content-type: application/json',
      ];
      return (await promisify(execFile)('curl', [...common, ...more])).stdout;
    };
    expect(await curl('--user', 'local:local', '-d', '{"to":"everyone"}', url)).toBe('ok');
    expect(await curl('--user', 'local:local', `${url}?limit=10`)).toBe('ok');
    expect(await curl('--user', 'local:guess', url)).toBe('mismatch');
  });
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(bytes(chunk));
  return Buffer.concat(chunks);
}
