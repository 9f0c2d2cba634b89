import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type PeerAnswer, posterFor, type Seen, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';

describe('a fault that passes', () => {
  it.each<[string, PeerAnswer]>([
    ['a 429', { status: 429, headers: { 'x-amzn-errortype': 'LimitExceededException' } }],
    ['a 500', { status: 500 }],
    [
      'a 503 with a page for people',
      { status: 503, headers: { 'content-type': 'text/html' }, body: '<html>' },
    ],
    ['a connection that breaks before the answer', 'cut'],
  ])('is tried again: %s', async (_, fault) => {
    const peer = await startPeer((_seen, at) => (at < 2 ? fault : { status: 200 }));
    const poster = posterFor(peer, { retries: 2 });
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.seen.map(({ body }) => body)).toEqual(['hi', 'hi', 'hi']);
    expect(peer.seen.map(({ headers }) => headers['amz-sdk-request'])).toEqual([
      undefined,
      'attempt=2; max=3',
      'attempt=3; max=3',
    ]);
  });

  it.each([0, 1, 3])('is tried again as often as asked for and no more: %i', async (retries) => {
    const peer = await startPeer(() => ({ status: 429 }));
    const poster = posterFor(peer, { retries });
    expect(await poster.post(connectionId, poster.prepare('hi'))).toMatchObject({ outcome: 'throttled' });
    expect(peer.seen).toHaveLength(retries + 1);
  });

  it('is tried again as often as asked for where many posts meet it at once', async () => {
    const peer = await startPeer(() => ({ status: 429 }));
    const poster = posterFor(peer, { retries: 1 });
    const ids = Array.from({ length: 50 }, (_, at) => `connection-${at}=`);
    expect(await poster.postAll(ids, poster.prepare('hi'))).toMatchObject({ throttled: 50 });
    expect(peer.seen).toHaveLength(100);
  });

  it('waits between the attempts, each time anew by chance', async () => {
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
    const poster = posterFor(peer, { retries: 2, retryDelayMs: 40, random });
    await poster.post(connectionId, poster.prepare('hi'));
    const [first = 0, second = 0, third = 0] = arrivals;
    expect(draws).toHaveLength(2);
    // Half of 40 ms, then half of 80 ms; timers may fire a millisecond early.
    expect(second - first).toBeGreaterThanOrEqual(19);
    expect(third - second).toBeGreaterThanOrEqual(39);
  });

  it('is not looked for in a 403 or a 410', async () => {
    for (const status of [403, 410]) {
      const peer = await startPeer(() => ({ status }));
      const poster = posterFor(peer, { retries: 3 });
      await poster.post(connectionId, poster.prepare('hi'));
      expect(peer.seen).toHaveLength(1);
    }
  });

  it('of the network is an outcome once the attempts are used up', async () => {
    const peer = await startPeer(() => 'cut');
    const poster = posterFor(peer, { retries: 1 });
    const outcome = await poster.post(connectionId, poster.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', isRetryable: true });
    expect(peer.seen).toHaveLength(2);
  });

  it('of nobody listening is an outcome, too', async () => {
    const poster = posterFor({ origin: 'http://127.0.0.1:1' }, { retries: 1 });
    const outcome = await poster.post(connectionId, poster.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', cause: { code: 'ECONNREFUSED' } });
  });

  it('of silence ends after the timeout', async () => {
    const peer = await startWirePeer(() => undefined);
    const poster = posterFor(peer, { retries: 1, timeoutMs: 40 });
    const outcome = await poster.post(connectionId, poster.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', cause: { code: 'ETIMEDOUT' } });
    expect(peer.requests).toHaveLength(2);
  });
});

describe('credentials', () => {
  it('are asked for again as they near their end, and the new ones sign', async () => {
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
    const poster = posterFor(peer, { credentials });
    for (let at = 0; at < 3; at += 1) await poster.post(connectionId, poster.prepare('hi'));
    const keys = peer.seen.map(({ headers }) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1]);
    expect(new Set(keys).size).toBe(3);
    const tokens = peer.seen.map(({ headers }) => headers['x-amz-security-token']);
    expect(tokens).toEqual(keys.map((key) => key?.replace('KEY', 'T')));
  });

  it('that cannot be had are an outcome, and are asked for again by the next post', async () => {
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return asked === 1
        ? Promise.reject(new Error('secret detail of the provider'))
        : Promise.resolve({ accessKeyId: 'a', secretAccessKey: 's' });
    };
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor(peer, { credentials });
    expect(await poster.post(connectionId, poster.prepare('hi'))).toMatchObject({ reason: 'credentials' });
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual({ outcome: 'sent' });
  });
});

describe('a clock that is wrong', () => {
  const hourMs = 3_600_000;

  /** Refuses what was not signed within five minutes of its own clock, as AWS does. */
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

  it('is corrected by the date of the refusal, and stays corrected', async () => {
    const peer = await startPeer(byPeerClock);
    const poster = posterFor(peer);
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.seen).toHaveLength(2);
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.seen).toHaveLength(3);
  });

  it('fails none of the posts that were on their way when it was found out', async () => {
    // A clock that stands still makes every refusal ask for exactly the same correction.
    vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 1000) * 1000 });
    onTestFinished(() => void vi.useRealTimers());
    let corrected: (() => void) | undefined;
    const correction = new Promise<void>((resolve) => (corrected = resolve));
    const peer = await startPeer(async (seen, at) => {
      // The second is refused only after the first has been tried again by the corrected clock.
      if (at === 1) await correction;
      if (at === 2) corrected?.();
      return byPeerClock(seen);
    });
    const poster = posterFor(peer);
    const ids = ['connection-1=', 'connection-2='];
    expect(await poster.postAll(ids, poster.prepare('hi'))).toMatchObject({ sent: 2 });
    expect(peer.seen).toHaveLength(4);
  });
});
