import { Aws } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../lib/settings/settings.ts';

describe('the setting tokenIssuer', () => {
  const issuer = {
    jwksUrl: 'https://id.example/keys',
    issuer: 'https://id.example',
    audience: 'app',
  };
  const read = (tokenIssuer: unknown) => readSettings({ tokenIssuer }).tokenIssuer;

  it('is secret by default, or an issuer with its keys, or a list of both', () => {
    const listed = { ...issuer, audience: ['app'] };
    expect(readSettings({}).tokenIssuer).toEqual(['secret']);
    expect(read('secret')).toEqual(['secret']);
    expect(read(issuer)).toEqual([listed]);
    expect(read(['secret', { ...issuer, algorithms: ['ES256'] }])).toEqual([
      'secret',
      { ...listed, algorithms: ['ES256'] },
    ]);
    expect(read(JSON.stringify(issuer))).toEqual([listed]);
  });

  it('may have a key address on this machine without TLS, or one that is known after the deployment', () => {
    for (const jwksUrl of ['http://127.0.0.1:9000/keys', `https://id.${Aws.REGION}.example/keys`]) {
      expect(read({ ...issuer, jwksUrl })).toMatchObject([{ jwksUrl }]);
    }
  });

  it.each([
    [[]],
    ['public'],
    [['secret', 'secret']],
    [[issuer, { ...issuer, audience: 'other' }]],
    [{ ...issuer, jwksUrl: 'http://id.example/keys' }],
    [{ ...issuer, jwksUrl: 'https://user:password@id.example/keys' }],
    [{ ...issuer, jwksUrl: `http://id.${Aws.REGION}.example/keys` }],
    [{ ...issuer, audience: [] }],
    [{ jwksUrl: issuer.jwksUrl, issuer: issuer.issuer }],
    [{ jwksUrl: issuer.jwksUrl, audience: 'app' }],
    [{ ...issuer, algorithms: ['HS256'] }],
    [{ ...issuer, algorithms: ['none'] }],
    [{ ...issuer, algorithms: [] }],
    [{ ...issuer, jwksUri: 'https://id.example/keys' }],
  ])('may not be %j', (tokenIssuer) => {
    expect(() => readSettings({ tokenIssuer })).toThrow(
      `Setting tokenIssuer is ${JSON.stringify(tokenIssuer)}; allowed: secret, or an object ` +
        '{"jwksUrl","issuer","audience"} with an https URL and, if you like, "algorithms" out of RS256, RS384, RS512, ' +
        'PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519; or a list of them, each issuer once.',
    );
  });
});
