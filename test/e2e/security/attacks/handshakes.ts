import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { CompactEncrypt } from 'jose';
import type { ClientOptions } from 'ws';
import { refusalStatus } from '../../client.ts';
import type { Stack } from '../../stack.ts';
import { tokenOf, tokenSecret } from '../use.ts';
import type { Attack } from './attack.ts';

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

/** A JWT made by hand, with any header, claims and key. */
function jwt(claims: object, header: object = {}, key = tokenSecret): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode({ exp: inAnHour(), ...claims })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function address(stack: Stack, query: string): string {
  return `${stack.url.replace('http', 'ws')}/live${query}`;
}

function connect(stack: Stack, token: string, options?: ClientOptions): Promise<number> {
  return refusalStatus(address(stack, `?token=${encodeURIComponent(token)}`), options);
}

function refused(name: string, token: () => string | Promise<string>): Attack {
  return { name: `a token ${name}`, run: async (stack) => connect(stack, await token()), expected: 403 };
}

const jwk = { kty: 'oct', k: Buffer.from('mine').toString('base64url') };

const forged: readonly Attack[] = [
  ...['none', 'None', 'NONE', ''].map((alg) =>
    refused(`with alg ${JSON.stringify(alg)}, signed with the secret`, () => jwt({ sub: '1' }, { alg })),
  ),
  refused(
    'without a signature',
    () => `${encode({ alg: 'none' })}.${encode({ sub: '1', exp: inAnHour() })}.`,
  ),
  refused('signed with an empty key', () => jwt({ sub: '1' }, {}, '')),
  refused('that brings its key in jwk', () => jwt({ sub: '1' }, { jwk }, 'mine')),
  refused('that names its keys in jku', () =>
    jwt({ sub: '1' }, { jku: 'https://evil.example/keys' }, 'mine'),
  ),
  refused('that names its keys in x5u', () =>
    jwt({ sub: '1' }, { x5u: 'https://evil.example/cert' }, 'mine'),
  ),
  refused('whose kid is a path', () => jwt({ sub: '1' }, { kid: '../../dev/null' }, '')),
  refused('with an unknown critical header', () => jwt({ sub: '1' }, { crit: ['exp2'], exp2: 1 })),
  refused('with b64 false', () => jwt({ sub: '1' }, { b64: false, crit: ['b64'] })),
  refused('within a token', () => jwt({ sub: '1' }, { cty: 'JWT' }, jwt({ sub: '1' }))),
  refused('that is encrypted, not signed', async () =>
    new CompactEncrypt(Buffer.from(JSON.stringify({ sub: '1', exp: inAnHour() })))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(Buffer.from(tokenSecret).subarray(0, 32)),
  ),
];

const wrongClaims: readonly Attack[] = [
  ...[undefined, null, '', [], {}, ['1'], { id: 1 }, true, 1.5].map((sub) =>
    refused(`with the sub ${inspect(sub)}`, () => jwt({ sub })),
  ),
  ...[null, '1', -1, 0, {}, []].map((exp) =>
    refused(`with the exp ${JSON.stringify(exp)}`, () => jwt({ sub: '1', exp })),
  ),
  ...['a#b', 'a:b', '*', 'a/b', 'a\u0000b', 'a\nb', 'ä', 'a b', 'a'.repeat(129)].flatMap((name) => [
    refused(`with the sub ${JSON.stringify(name).slice(0, 12)}`, () => jwt({ sub: name })),
    refused(`with the tenant ${JSON.stringify(name).slice(0, 12)}`, () => jwt({ sub: '1', tenant: name })),
    refused(`with the type ${JSON.stringify(name).slice(0, 12)}`, () => jwt({ sub: '1', userType: name })),
  ]),
  ...[['a#b'], [7], [['a']], { 0: '*' }].map((topics) =>
    refused(`with the topics ${JSON.stringify(topics)}`, () => jwt({ sub: '1', topics })),
  ),
  refused('that is not valid yet', () => jwt({ sub: '1', nbf: inAnHour() })),
  refused('with an nbf of text', () => jwt({ sub: '1', nbf: 'now' })),
];

/** A good token in a place where no token is read. */
const otherPlaces: readonly Attack[] = [
  ...[
    ['the header Authorization', (token: string) => ({ headers: { authorization: `Bearer ${token}` } })],
    ['a cookie', (token: string) => ({ headers: { cookie: `token=${token}` } })],
  ].map(([place, options]) => ({
    name: `a token in ${String(place)}`,
    run: async (stack: Stack) =>
      refusalStatus(
        address(stack, ''),
        typeof options === 'function' ? options(await tokenOf({ user: '1' })) : {},
      ),
    expected: 401,
  })),
  {
    name: 'a token in a parameter of another case',
    run: async (stack) => refusalStatus(address(stack, `?TOKEN=${await tokenOf({ user: '1' })}`)),
    expected: 401,
  },
  {
    name: 'a URL of 4,097 characters',
    run: (stack) => {
      const url = address(stack, '?token=');
      return refusalStatus(url + 'x'.repeat(4097 - url.length));
    },
    expected: 414,
  },
  {
    name: 'a URL of 4,096 characters, which is only a bad token',
    run: (stack) => {
      const url = address(stack, '?token=');
      return refusalStatus(url + 'x'.repeat(4096 - url.length));
    },
    expected: 403,
  },
];

export const handshakes: readonly Attack[] = [...forged, ...wrongClaims, ...otherPlaces];
