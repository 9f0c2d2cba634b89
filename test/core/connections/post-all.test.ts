import { describe, expect, it } from 'vitest';
import { postToAll } from '../../../core/connections/post-all.ts';
import { type PostOutcome } from '../../../core/connections/client.ts';
import { clientFor, startPeer, startWirePeer } from './peer.ts';

const now = () => 0;
const sent: PostOutcome = { outcome: 'sent' };
const none = { sent: 0, gone: 0, throttled: 0, too_large: 0, failed: 0 };

describe('posting to many', () => {
  it('counts and reports each outcome', async () => {
    const statuses = [200, 410, 429, 413, 403];
    const peer = await startPeer(({ path }) => ({ status: Number(/status-(\d+)/.exec(path ?? '')?.[1]) }));
    const client = clientFor(peer, { retries: 0 });
    const told = new Map<string, string>();
    const ids = statuses.map((status) => `status-${status}=`);
    const result = await client.postAll(ids, client.prepare('hi'), {
      onOutcome: (connectionId, { outcome }) => told.set(connectionId, outcome),
    });
    expect(result).toEqual({ sent: 1, gone: 1, throttled: 1, too_large: 1, failed: 1 });
    expect(Object.fromEntries(told)).toEqual({
      'status-200=': 'sent',
      'status-410=': 'gone',
      'status-429=': 'throttled',
      'status-413=': 'too_large',
      'status-403=': 'failed',
    });
  });

  it('posts nothing if there are no recipients', async () => {
    expect(await postToAll([], () => Promise.resolve(sent), {}, now)).toEqual(none);
  });

  it.each([1, 7, 100])(
    'never has more than %i posts in flight, and reads no recipients ahead',
    async (concurrency) => {
      let drawn = 0;
      let ended = 0;
      let most = 0;
      async function* ids(): AsyncGenerator<string> {
        for (; drawn < 500; drawn += 1) yield Promise.resolve(`connection-${drawn}=`);
      }
      const post = async (): Promise<PostOutcome> => {
        most = Math.max(most, drawn + 1 - ended);
        await new Promise((resolve) => setImmediate(resolve));
        ended += 1;
        return sent;
      };
      expect(await postToAll(ids(), post, { concurrency }, now)).toMatchObject({ sent: 500 });
      expect(most).toBeLessThanOrEqual(concurrency + 1);
      expect(most).toBeGreaterThanOrEqual(concurrency);
    },
  );

  it('reads no more recipients once aborted, and reports the posts in flight', async () => {
    const controller = new AbortController();
    let drawn = 0;
    let isReturned = false;
    function* ids(): Generator<string> {
      try {
        for (;;) yield `connection-${(drawn += 1)}=`;
      } finally {
        isReturned = true;
      }
    }
    const peer = await startPeer((_, at) => {
      if (at === 20) controller.abort();
      return { status: 200 };
    });
    const client = clientFor(peer);
    const options = { concurrency: 5, signal: controller.signal };
    const result = await client.postAll(ids(), client.prepare('hi'), options);
    expect(result.stoppedBy).toBe('aborted');
    expect(result.sent + result.failed).toBeGreaterThanOrEqual(20);
    expect(result.sent + result.failed).toBeLessThanOrEqual(drawn);
    expect(drawn).toBeLessThan(40);
    expect(isReturned).toBe(true);
  });

  it('stops at its deadline', async () => {
    const peer = await startWirePeer(() => undefined);
    const client = clientFor(peer);
    const ids = Array.from({ length: 10 }, (_, at) => `connection-${at}=`);
    const reasons: string[] = [];
    const result = await client.postAll(ids, client.prepare('hi'), {
      concurrency: 2,
      deadline: Date.now() + 60,
      onOutcome: (_, outcome) => outcome.outcome === 'failed' && reasons.push(outcome.reason),
    });
    expect(result).toEqual({ ...none, failed: 2, stoppedBy: 'deadline' });
    expect(reasons).toEqual(['deadline', 'deadline']);
  });

  it('does not report an abort after the last recipient', async () => {
    const controller = new AbortController();
    const post = (): Promise<PostOutcome> => {
      controller.abort();
      return Promise.resolve(sent);
    };
    const result = await postToAll(['a'], post, { signal: controller.signal }, now);
    expect(result).toEqual({ ...none, sent: 1 });
  });

  it.each(['source', 'listener'])(
    'throws an error of its %s after the posts in flight have ended',
    async (who) => {
      let ended = 0;
      function* ids(): Generator<string> {
        for (let at = 0; at < 10; at += 1) yield `connection-${at}=`;
        if (who === 'source') throw new Error('a fault');
      }
      const post = async (): Promise<PostOutcome> => {
        await new Promise((resolve) => setImmediate(resolve));
        ended += 1;
        return sent;
      };
      const onOutcome = (connectionId: string) => {
        if (who === 'listener' && connectionId === 'connection-9=') throw new Error('a fault');
      };
      await expect(postToAll(ids(), post, { concurrency: 4, onOutcome }, now)).rejects.toThrow('a fault');
      expect(ended).toBe(10);
    },
  );
});
