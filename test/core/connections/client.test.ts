import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { describe, expect, it } from 'vitest';
import { clientFor, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';

describe('posting to a connection', () => {
  it('sends text and bytes', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer);
    const text = JSON.stringify({ type: 'notice-push', content: 'héllo ✓' });
    expect(await client.post(connectionId, client.prepare(text))).toEqual({ outcome: 'sent' });
    expect(await client.post(connectionId, client.prepare(Buffer.from('bytes')))).toEqual({
      outcome: 'sent',
    });
    expect(peer.seen).toMatchObject([
      { method: 'POST', path: '/live/@connections/L0SM9cOFvHcCIhw%3D', body: text },
      { method: 'POST', body: 'bytes' },
    ]);
  });

  it('is signed for the service execute-api in the Region of the client', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer, { region: 'eu-west-1' });
    await client.post(connectionId, client.prepare('hi'));
    expect(peer.seen[0]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=local\/\d{8}\/eu-west-1\/execute-api\/aws4_request, /,
    );
  });

  it('sends a payload of 128 KB, and an empty one', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer);
    const large = 'x'.repeat(128 * 1024);
    expect(await client.post(connectionId, client.prepare(large))).toEqual({ outcome: 'sent' });
    expect(await client.post(connectionId, client.prepare(''))).toEqual({ outcome: 'sent' });
    expect(peer.seen.map(({ body }) => body)).toEqual([large, '']);
  });

  it('uses the same path and host as the SDK, for any id and endpoint', async () => {
    const ids = [connectionId, 'a/b+c=', "it's(a)*!~.-_id", 'ü%2F?#&id', 'a', '...'];
    const peer = await startPeer(() => ({ status: 200 }), { isPlain: true });
    for (const endpoint of [peer.origin, `${peer.origin}/live`, `${peer.origin}/a/b`]) {
      const client = clientFor(peer, { endpoint });
      const sdk = new ApiGatewayManagementApiClient({
        endpoint,
        region: 'us-east-1',
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      });
      for (const id of ids) {
        const before = peer.seen.length;
        await client.post(id, client.prepare('hi'));
        await sdk.send(new PostToConnectionCommand({ ConnectionId: id, Data: Buffer.from('hi') }));
        const [ours, theirs] = peer.seen.slice(before);
        expect(theirs).toBeDefined();
        expect(ours?.path).toBe(theirs?.path);
        expect(ours?.headers.host).toBe(theirs?.headers.host);
      }
      sdk.destroy();
    }
  });

  it('ignores a slash at the end of the endpoint, in retries too', async () => {
    const peer = await startPeer((_, at) => ({ status: at === 0 ? 503 : 200 }));
    const client = clientFor(peer, { endpoint: `${peer.origin}/live/` });
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
    const path = '/live/@connections/L0SM9cOFvHcCIhw%3D';
    expect(peer.seen).toMatchObject([{ path }, { path }]);
  });

  it.each(['', '.', '..', 'half a pair \ud800'])('refuses the id %j, which no path can hold', async (id) => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer);
    const refused = { outcome: 'failed', reason: 'bad_request' };
    expect(await client.post(id, client.prepare('hi'))).toMatchObject(refused);
    expect(await client.disconnect(id)).toMatchObject(refused);
    expect(peer.seen).toEqual([]);
  });
});

describe('closing a connection', () => {
  it('is a DELETE without a body', async () => {
    const peer = await startPeer(() => ({ status: 204 }));
    expect(await clientFor(peer).disconnect(connectionId)).toEqual({ outcome: 'closed' });
    expect(peer.seen).toMatchObject([
      { method: 'DELETE', path: '/live/@connections/L0SM9cOFvHcCIhw%3D', body: '' },
    ]);
    expect(peer.seen[0]?.headers).not.toHaveProperty('content-type');
  });

  it('reports a connection that is already gone', async () => {
    const peer = await startPeer(() => ({ status: 410 }));
    expect(await clientFor(peer).disconnect(connectionId)).toEqual({ outcome: 'gone' });
  });
});

describe('asking for a connection', () => {
  it('is a GET without a body', async () => {
    const peer = await startPeer(() => ({ status: 200, body: '{"connectedAt":"2026-11-20T12:00:00.000Z"}' }));
    expect(await clientFor(peer).probe(connectionId)).toEqual({ outcome: 'connected' });
    expect(peer.seen).toMatchObject([
      { method: 'GET', path: '/live/@connections/L0SM9cOFvHcCIhw%3D', body: '' },
    ]);
    expect(peer.seen[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each([
    [410, { outcome: 'gone' }],
    [403, { outcome: 'failed', reason: 'forbidden' }],
    [413, { outcome: 'failed', reason: 'unexpected' }],
  ])('reports the status %i', async (status, outcome) => {
    const peer = await startPeer(() => ({ status }));
    expect(await clientFor(peer).probe(connectionId)).toMatchObject(outcome);
  });
});

describe('an answer of API Gateway', () => {
  const secret = 'User: arn:aws:sts::123456789012:assumed-role/fan-out is not authorized';
  const headers = { 'x-amzn-requestid': 'a-request-id', 'content-type': 'application/json' };

  it.each([
    [410, 'GoneException', { outcome: 'gone' }],
    [410, 'SomethingElseException', { outcome: 'gone' }],
    [429, 'LimitExceededException', { outcome: 'throttled', requestId: 'a-request-id' }],
    [429, 'SomethingElseException', { outcome: 'throttled', requestId: 'a-request-id' }],
    [413, 'PayloadTooLargeException', { outcome: 'too_large', requestId: 'a-request-id' }],
    [403, 'ForbiddenException', { outcome: 'failed', reason: 'forbidden', isRetryable: false }],
    [400, 'BadRequestException', { outcome: 'failed', reason: 'bad_request', isRetryable: false }],
    [500, 'InternalFailure', { outcome: 'failed', reason: 'service_error', isRetryable: true }],
    [504, 'GatewayTimeout', { outcome: 'failed', reason: 'service_error', isRetryable: true }],
    [301, 'Moved', { outcome: 'failed', reason: 'unexpected', isRetryable: false }],
  ])(
    '%i %s becomes an outcome that shows the request id, but not the text of API Gateway',
    async (status, name, expected) => {
      const body = JSON.stringify({ message: secret });
      const typed = { ...headers, 'x-amzn-errortype': name };
      const peer = await startPeer(() => ({ status, headers: typed, body }));
      const client = clientFor(peer, { retries: 0 });
      const outcome = await client.post(connectionId, client.prepare('hi'));
      expect(outcome).toMatchObject(expected);
      if (outcome.outcome !== 'failed') {
        expect(JSON.stringify(outcome)).not.toContain('arn:');
        return;
      }
      const { cause, ...shown } = outcome;
      expect(shown.requestId).toBe('a-request-id');
      expect(JSON.stringify(shown)).not.toMatch(/arn:|Exception/);
      // The log gets the text.
      expect(cause).toEqual(new Error(`@connections answered ${status} (${name}): ${body}`));
    },
  );

  it('about a refused signature is logged without its text, which quotes the session token', async () => {
    const typed = { ...headers, 'x-amzn-errortype': 'InvalidSignatureException' };
    const body = JSON.stringify({ message: 'x-amz-security-token:swordfish' });
    const peer = await startPeer(() => ({ status: 403, headers: typed, body }));
    const client = clientFor(peer, { retries: 0 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    if (outcome.outcome !== 'failed') throw new Error(outcome.outcome);
    expect(outcome.reason).toBe('forbidden');
    expect(String(outcome.cause)).toContain('InvalidSignatureException');
    expect(String(outcome.cause)).not.toContain('swordfish');
  });

  it('keeps its meaning if the body is an HTML page', async () => {
    const page = { headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway</html>' };
    const peer = await startPeer((_, at) => ({ status: at === 0 ? 502 : 413, ...page }));
    const client = clientFor(peer, { retries: 0 });
    const payload = client.prepare('hi');
    expect(await client.post(connectionId, payload)).toMatchObject({
      outcome: 'failed',
      reason: 'service_error',
    });
    expect(await client.post(connectionId, payload)).toMatchObject({ outcome: 'too_large' });
  });

  it('that is not HTTP is a network failure', async () => {
    const peer = await startWirePeer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n\r\n'));
    const client = clientFor(peer, { retries: 0 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', isRetryable: true });
  });
});
