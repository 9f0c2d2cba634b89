import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type PeerAnswer, clientFor, type Seen, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';

describe('a transient failure', () => {
  it.each<[string, PeerAnswer]>([
    ['a 429', { status: 429, headers: { 'x-amzn-errortype': 'LimitExceededException' } }],
    ['a 500', { status: 500 }],
    ['a 503 with an HTML page', { status: 503, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['a connection that breaks before the answer', 'cut'],
  ])('is retried: %s', async (_, fault) => {
    const peer = await startPeer((_seen, at) => (at < 2 ? fault : { status: 200 }));
    let retries = 0;
    const random = () => {
      retries += 1;
      return 0;
    };
    const client = clientFor(peer, { retries: 2, random });
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.seen.map(({ body }) => body)).toEqual(['hi', 'hi', 'hi']);
    expect(retries).toBe(2);
  });

  it.each([0, 1, 3])('is retried as often as the option says: %i', async (retries) => {
    const peer = await startPeer(() => ({ status: 429 }));
    const client = clientFor(peer, { retries });
    expect(await client.post(connectionId, client.prepare('hi'))).toMatchObject({ outcome: 'throttled' });
    expect(peer.seen).toHaveLength(retries + 1);
  });

  it('is not retried after a 429, if the post says so', async () => {
    const peer = await startPeer((_seen, at) => ({ status: at === 0 ? 500 : 429 }));
    const client = clientFor(peer, { retries: 3, random: () => 0 });
    const posted = client.post(connectionId, client.prepare('hi'), { retriesThrottled: false });
    expect(await posted).toMatchObject({ outcome: 'throttled' });
    expect(peer.seen).toHaveLength(2);
  });

  it('is retried for each of many posts', async () => {
    const peer = await startPeer(() => ({ status: 429 }));
    const client = clientFor(peer, { retries: 1 });
    const ids = Array.from({ length: 50 }, (_, at) => `connection-${at}=`);
    expect(await client.postAll(ids, client.prepare('hi'))).toMatchObject({ throttled: 50 });
    expect(peer.seen).toHaveLength(100);
  });

  it('is retried after a random wait, whose bound doubles', async () => {
    const draws: number[] = [];
    const random = () => {
      draws.push(0.5);
      return 0.5;
    };
    const arrivals: number[] = [];
    const peer = await startPeer(() => {
      arrivals.push(performance.now());
      return { status: 503 };
    });
    const client = clientFor(peer, { retries: 2, retryDelayMs: 40, random });
    await client.post(connectionId, client.prepare('hi'));
    const [first = 0, second = 0, third = 0] = arrivals;
    expect(draws).toHaveLength(2);
    // Half of 40 ms, then half of 80 ms; timers may fire a millisecond early.
    expect(second - first).toBeGreaterThanOrEqual(19);
    expect(third - second).toBeGreaterThanOrEqual(39);
  });

  it('is retried no sooner than the peer asks', async () => {
    const arrivals: number[] = [];
    const peer = await startPeer((_, at) => {
      arrivals.push(performance.now());
      return at === 0 ? { status: 429, headers: { 'retry-after': '1' } } : { status: 200 };
    });
    const client = clientFor(peer);
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
    const [first = 0, second = 0] = arrivals;
    expect(second - first).toBeGreaterThanOrEqual(990);
  });

  it('does not include a 403 or a 410', async () => {
    for (const status of [403, 410]) {
      const peer = await startPeer(() => ({ status }));
      const client = clientFor(peer, { retries: 3 });
      await client.post(connectionId, client.prepare('hi'));
      expect(peer.seen).toHaveLength(1);
    }
  });

  it('of the network becomes an outcome after the last retry', async () => {
    const peer = await startPeer(() => 'cut');
    const client = clientFor(peer, { retries: 1 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', isRetryable: true });
    expect(peer.seen).toHaveLength(2);
  });

  it('to connect becomes an outcome', async () => {
    const client = clientFor({ origin: 'http://127.0.0.1:1' }, { retries: 1 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', cause: { code: 'ECONNREFUSED' } });
  });

  it('includes a peer that stays silent for the timeout of an attempt', async () => {
    const peer = await startWirePeer(() => undefined);
    const client = clientFor(peer, { retries: 1, timeoutMs: 40 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', cause: { code: 'ETIMEDOUT' } });
    expect(peer.requests).toHaveLength(2);
  });
});

describe('credentials', () => {
  it('are refreshed shortly before they expire', async () => {
    let issued = 0;
    const credentials = () => {
      issued += 1;
      const expiration = new Date(Date.now() + 60_000);
      return Promise.resolve({
        accessKeyId: `KEY${issued}`,
        secretAccessKey: 's',
        sessionToken: `T${issued}`,
        expiration,
      });
    };
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer, { credentials });
    for (let at = 0; at < 3; at += 1) await client.post(connectionId, client.prepare('hi'));
    const keys = peer.seen.map(({ headers }) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1]);
    expect(new Set(keys).size).toBe(3);
    const tokens = peer.seen.map(({ headers }) => headers['x-amz-security-token']);
    expect(tokens).toEqual(keys.map((key) => key?.replace('KEY', 'T')));
  });

  it('that cannot be loaded become an outcome, and the next post asks for them again', async () => {
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return asked === 1
        ? Promise.reject(new Error('secret detail of the provider'))
        : Promise.resolve({ accessKeyId: 'a', secretAccessKey: 's' });
    };
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer, { credentials });
    expect(await client.post(connectionId, client.prepare('hi'))).toMatchObject({ reason: 'credentials' });
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
  });
});

describe('credentials with a line break', () => {
  it('cannot add a header to a request', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const sessionToken = 'token\r\nx-added: 1';
    const credentials = { accessKeyId: 'a', secretAccessKey: 's', sessionToken };
    const client = clientFor(peer, { credentials });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'unexpected', isRetryable: false });
    expect(peer.seen).toEqual([]);
  });
});

describe('a clock that is wrong', () => {
  const hourMs = 3_600_000;

  /** Refuses a signature that is more than five minutes off its own clock, as AWS does. */
  function byPeerClock({ headers }: Seen): PeerAnswer {
    const peerTime = Date.now() - hourMs;
    const date = new Date(peerTime).toUTCString();
    const signedAt = Date.parse(
      String(headers['x-amz-date']).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'),
    );
    if (Math.abs(signedAt - peerTime) < 5 * 60_000) return { status: 200, headers: { date } };
    const body = JSON.stringify({ message: 'Signature not yet current' });
    return { status: 403, headers: { date, 'x-amzn-errortype': 'InvalidSignatureException' }, body };
  }

  it('is corrected by the date of a 403, and stays corrected', async () => {
    const peer = await startPeer(byPeerClock);
    const client = clientFor(peer);
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.seen).toHaveLength(2);
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.seen).toHaveLength(3);
  });

  it('fails none of the posts that were in flight when it was corrected', async () => {
    // With a clock that stands still, each 403 asks for exactly the same correction.
    vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 1000) * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    let corrected: (() => void) | undefined;
    const correction = new Promise<void>((resolve) => (corrected = resolve));
    const peer = await startPeer(async (seen, at) => {
      // The second is refused only after the first was retried with the corrected clock.
      if (at === 1) await correction;
      if (at === 2) corrected?.();
      return byPeerClock(seen);
    });
    const client = clientFor(peer);
    const ids = ['connection-1=', 'connection-2='];
    expect(await client.postAll(ids, client.prepare('hi'))).toMatchObject({ sent: 2 });
    expect(peer.seen).toHaveLength(4);
  });

  it('makes a 403 retryable if the caller makes the retries', async () => {
    const peer = await startPeer(byPeerClock);
    const client = clientFor(peer, { retries: 0 });
    const refused = { outcome: 'failed', reason: 'forbidden', isRetryable: true };
    expect(await client.post(connectionId, client.prepare('hi'))).toMatchObject(refused);
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
  });
});
