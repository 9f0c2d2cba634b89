import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { localKeys, localRegion } from '../../../../publisher/signed-request.ts';
import type { Stack } from '../../stack.ts';
import { tokenOf } from '../use.ts';
import type { Attack } from './attack.ts';

const body = JSON.stringify({ to: 'user:member:nobody', type: 'x', content: 1 });

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

interface Signing extends Request {
  readonly keys?: typeof localKeys;
  readonly service?: string;
  readonly region?: string;
  readonly date?: Date;
}

async function sign({ url }: Stack, signing: Signing): Promise<Record<string, string>> {
  const { keys = localKeys, service = 'execute-api', region = localRegion, date = new Date() } = signing;
  const { method, path, body: signed } = signing;
  const { host, hostname } = new URL(url);
  const signer = new SignatureV4({ service, region, credentials: keys, sha256: Sha256 });
  const { headers } = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname,
      path,
      headers: { host },
      ...(signed !== undefined && { body: signed }),
    },
    { signingDate: date },
  );
  return headers;
}

/** Sends a request with the signature of another one. */
async function send(stack: Stack, signing: Signing, sent: Request = signing): Promise<number> {
  const { method, path, body: text } = sent;
  const headers = await sign(stack, signing);
  const response = await fetch(stack.url + path, {
    method,
    headers,
    ...(text !== undefined && { body: text }),
  });
  return response.status;
}

const publish = { method: 'POST', path: '/publish', body };
const publication = (id: string) => ({ method: 'GET', path: `/publications/${id}` });
const list = { method: 'GET', path: '/sessions?userType=member' };
const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);

function refused(name: string, signing: Signing, sent?: Request): Attack {
  return { name: `a request signed ${name}`, run: (stack) => send(stack, signing, sent), expected: 403 };
}

/** Requests of services: IAM authorises each by its signature. */
export const signatures: readonly Attack[] = [
  {
    name: 'a request rightly signed, which is no attack',
    run: (stack) => send(stack, publish),
    expected: 200,
  },
  refused('with an unknown key', { ...publish, keys: { ...localKeys, accessKeyId: 'AKIAEXAMPLE' } }),
  refused('with a wrong secret', { ...publish, keys: { ...localKeys, secretAccessKey: 'guess' } }),
  ...['lambda', 'dynamodb', 's3', 'scheduler', 'execute-api2'].map((service) =>
    refused(`for the service ${service}`, { ...publish, service }),
  ),
  refused('for another Region', { ...publish, region: 'eu-west-1' }),
  refused('yesterday', { ...publish, date: daysAgo(1) }),
  refused('tomorrow', { ...publish, date: daysAgo(-1) }),
  refused('for another body', publish, { ...publish, body: body.replace('nobody', 'victim') }),
  refused('for no body', { ...publish, body: '' }, publish),
  refused('for another method', { ...list, path: '/sessions' }, { method: 'DELETE', path: '/sessions' }),
  refused('for another path', publication('1'), publication('2')),
  refused('for another query', { method: 'GET', path: '/sessions' }, list),
  {
    name: 'a request without a signature',
    run: async ({ url }) => (await fetch(`${url}/publish`, { method: 'POST', body })).status,
    expected: 403,
  },
  {
    name: "a request with a user's token in place of a signature",
    run: async ({ url }) => {
      const authorization = `Bearer ${await tokenOf({ user: '1' })}`;
      return (await fetch(`${url}/publish`, { method: 'POST', headers: { authorization }, body })).status;
    },
    expected: 403,
  },
  {
    name: 'a signature in the place of a token',
    run: (stack) => send(stack, { method: 'POST', path: '/messages', body: '{"type":"ping"}' }),
    expected: 403,
  },
  ...[
    '/..%2fpublish',
    '/publish%00',
    '/%2e%2e/publish',
    '/sessions/%c2%85',
    '/sessions/..%2f..%2fpublish',
  ].map((path): Attack => ({
    name: `a request to the path ${path}`,
    run: async (stack) => [400, 403, 404].includes(await send(stack, { method: 'GET', path })),
    expected: true,
  })),
];
