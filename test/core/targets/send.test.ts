import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TargetEvent } from '../../../core/targets/event.ts';
import { createSend } from '../../../core/targets/send.ts';
import type { TargetSettings } from '../../../core/targets/settings.ts';
import { createTestClock } from '../core-under-test.ts';
import { json, useEndpoint } from './endpoint.ts';

const endpoint = useEndpoint();
const secretText = `whsec_${randomBytes(32).toString('base64')}`;
const functionArn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';

const event: TargetEvent = {
  messageId: '7d9f1f3e-6f0e-4b6e-9f0a-0d6a3b0f2c11',
  from: { tenant: 'acme', userType: 'member', userId: 'für' },
  session: null,
  sentAt: 1,
};

const http = (differing: object = {}): TargetSettings => {
  return { url: `${endpoint.url}/hook?a=1`, secret: 'arn:secret', timeoutMs: 10_000, ...differing };
};
const lambda = (differing: object = {}): TargetSettings => {
  return { lambda: functionArn, timeoutMs: 10_000, ...differing };
};

function sendTo(settings: TargetSettings, readSecret = () => Promise.resolve(secretText)) {
  const clock = createTestClock();
  clock.ms = Date.now();
  return createSend(settings, { readSecret, endpoint: endpoint.url, clock })(event);
}

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => vi.unstubAllEnvs());

describe('a post', () => {
  it('carries the event as JSON, and a signature that standardwebhooks verifies', async () => {
    await sendTo(http());
    const { method, path, headers, body } = await endpoint.requests.next();
    expect({ method, path }).toEqual({ method: 'POST', path: '/hook?a=1' });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'switchboard',
      'webhook-id': event.messageId,
    });
    expect(new Webhook(secretText).verify(body, headers as Record<string, string>)).toEqual(event);
  });

  it('reads the secret that the target names', async () => {
    const readSecret = vi.fn(() => Promise.resolve(secretText));
    await sendTo(http(), readSecret);
    expect(readSecret).toHaveBeenCalledWith('arn:secret', expect.any(AbortSignal));
  });

  it.each(['short', '{"key":"x"}'])('is not sent with the secret %j', async (text) => {
    await expect(sendTo(http(), () => Promise.resolve(text))).rejects.toThrow('The secret must be base64');
    expect(endpoint.requests.values).toEqual([]);
  });

  it('is not sent without encryption to another machine', async () => {
    await expect(sendTo(http({ url: 'http://crm.example.com/' }))).rejects.toThrow(
      'The address must begin with https://.',
    );
  });

  it.each([301, 302, 307, 308])('is not redirected by %i', async (status) => {
    endpoint.respond = json({}, status, { location: `${endpoint.url}/elsewhere` });
    await expect(sendTo(http())).rejects.toThrow(`The endpoint answered with status ${status}.`);
    expect(endpoint.requests.values.map(({ path }) => path)).toEqual(['/hook?a=1']);
  });

  it.each([400, 404, 429, 500, 503])(
    'that is answered with %i has failed, whatever the body',
    async (status) => {
      endpoint.respond = json({ content: 1 }, status);
      await expect(sendTo(http())).rejects.toThrow(`The endpoint answered with status ${status}.`);
    },
  );

  it('that cannot be delivered has failed', async () => {
    endpoint.respond = (response) => response.destroy();
    await expect(sendTo(http())).rejects.toThrow('fetch failed');
  });
});

describe('an invocation', () => {
  it('is a signed call of Invoke in the Region of the function', async () => {
    vi.stubEnv('AWS_SESSION_TOKEN', 'session');
    endpoint.respond = json({ content: 1 });
    expect(await sendTo(lambda())).toBe('{"content":1}');
    const { method, path, headers, body } = await endpoint.requests.next();
    expect({ method, path, event: JSON.parse(body) as unknown }).toEqual({
      method: 'POST',
      path: `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`,
      event,
    });
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/eu-west-1\/lambda\/aws4_request, /,
    );
    expect(headers).toMatchObject({
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      'x-amz-security-token': 'session',
    });
  });

  it('of a function that throws has failed, with the error of the function as its cause', async () => {
    const error = { errorType: 'KeyError', errorMessage: "'sku'" };
    endpoint.respond = json(error, 200, { 'x-amz-function-error': 'Unhandled' });
    await expect(sendTo(lambda())).rejects.toThrow(`Lambda answered 200 Unhandled: ${JSON.stringify(error)}`);
  });

  it('that Lambda refuses has failed, and is not tried again', async () => {
    endpoint.respond = json({ Message: 'Rate Exceeded.' }, 429, {
      'x-amzn-errortype': 'TooManyRequestsException',
    });
    await expect(sendTo(lambda())).rejects.toThrow('Lambda answered 429 TooManyRequestsException');
    expect(endpoint.requests.values).toHaveLength(1);
  });

  it('goes to the endpoint of the partition and Region', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('not sent'));
    const parts = { readSecret: () => Promise.resolve(''), endpoint: undefined, clock: createTestClock() };
    for (const arn of [functionArn, 'arn:aws-cn:lambda:cn-north-1:123456789012:function:orders'])
      await expect(createSend({ lambda: arn, timeoutMs: 100 }, parts)(event)).rejects.toThrow('not sent');
    const hosts = fetched.mock.calls.map(([url]) => url instanceof URL && url.host);
    expect(hosts).toEqual(['lambda.eu-west-1.amazonaws.com', 'lambda.cn-north-1.amazonaws.com.cn']);
    fetched.mockRestore();
  });
});

describe.each([
  ['a post', http],
  ['an invocation', lambda],
])('the answer to %s', (_name, settings) => {
  it('is the text of the body', async () => {
    endpoint.respond = (response) => response.end('{"content":"für"}');
    expect(await sendTo(settings())).toBe('{"content":"für"}');
  });

  it('may be 1 MiB, and is not read further', async () => {
    const text = 'x'.repeat(1024 * 1024);
    endpoint.respond = (response) => response.end(text);
    expect(await sendTo(settings())).toHaveLength(text.length);
    endpoint.respond = (response) => response.end(`${text}x`);
    await expect(sendTo(settings())).rejects.toThrow('The answer is above 1048576 bytes.');
  });

  it('must come in time', async () => {
    endpoint.respond = () => undefined;
    await expect(sendTo(settings({ timeoutMs: 100 }))).rejects.toThrow('There was no answer within 100 ms.');
  });

  it('must end in time, and the connection is closed if it does not', async () => {
    let closed: Promise<unknown> | undefined;
    endpoint.respond = (response) => {
      closed = once(response, 'close');
      response.write('{"content":');
    };
    await expect(sendTo(settings({ timeoutMs: 100 }))).rejects.toThrow('There was no answer within 100 ms.');
    await closed;
  });
});

it('the answer 204 to a post is null', async () => {
  expect(await sendTo(http())).toBe('null');
});
