import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DeadlinePassed, limitBy } from '../../../core/connections/limits.ts';
import { clientFor, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';
const aborted = { outcome: 'failed', reason: 'aborted', isRetryable: false };
const late = { outcome: 'failed', reason: 'deadline', isRetryable: false };

describe('a signal', () => {
  it('that has already fired prevents the request', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer);
    const limits = { signal: AbortSignal.abort() };
    expect(await client.post(connectionId, client.prepare('hi'), limits)).toMatchObject(aborted);
    expect(await client.disconnect(connectionId, limits)).toMatchObject(aborted);
    expect(peer.seen).toEqual([]);
  });

  it('ends a post that waits for its answer, and closes its socket', async () => {
    const controller = new AbortController();
    let closed: Promise<unknown> | undefined;
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection > 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      else {
        closed = once(socket, 'close');
        controller.abort();
      }
    });
    // No timeout of the request itself closes the socket.
    const client = clientFor(peer, { timeoutMs: 600_000 });
    const { signal } = controller;
    expect(await client.post(connectionId, client.prepare('hi'), { signal })).toMatchObject(aborted);
    await closed;
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.connections()).toBe(2);
  });

  it('ends a post that waits for a socket', async () => {
    const controller = new AbortController();
    const peer = await startWirePeer((socket) => {
      controller.abort();
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    const client = clientFor(peer, { maxSockets: 1 });
    const first = client.post(connectionId, client.prepare('first'));
    const second = client.post(connectionId, client.prepare('second'), { signal: controller.signal });
    expect(await second).toMatchObject(aborted);
    expect(await first).toEqual({ outcome: 'sent' });
    expect(peer.requests).toHaveLength(1);
  });

  it('ends the wait before a retry', async () => {
    const controller = new AbortController();
    const peer = await startPeer(() => ({ status: 429 }));
    const client = clientFor(peer, {
      throttledDelayMs: 60_000,
      random: () => {
        controller.abort();
        return 0.99;
      },
    });
    const { signal } = controller;
    expect(await client.post(connectionId, client.prepare('hi'), { signal })).toMatchObject(aborted);
    expect(peer.seen).toHaveLength(1);
  });
});

describe('a deadline', () => {
  it('that has passed prevents the request', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer, { now: () => 1_000 });
    expect(await client.post(connectionId, client.prepare('hi'), { deadline: 1_000 })).toMatchObject(late);
    expect(peer.seen).toEqual([]);
  });

  it('ends a post that waits for its answer', async () => {
    const peer = await startWirePeer(() => undefined);
    const client = clientFor(peer);
    const deadline = Date.now() + 40;
    expect(await client.post(connectionId, client.prepare('hi'), { deadline })).toMatchObject(late);
  });

  it('ends the wait before a retry', async () => {
    const peer = await startPeer(() => ({ status: 429 }));
    // The deadline passes when the random wait is chosen, so no timer has to fire at the right moment.
    const controller = new AbortController();
    const random = () => {
      controller.abort(new DeadlinePassed('The deadline has passed.'));
      return 0.99;
    };
    const client = clientFor(peer, { throttledDelayMs: 60_000, random });
    const { signal } = controller;
    expect(await client.post(connectionId, client.prepare('hi'), { signal })).toMatchObject(late);
    expect(peer.seen).toHaveLength(1);
  });

  it('in the far future does not fire at once', () => {
    const { signal, release } = limitBy({ deadline: Number.MAX_SAFE_INTEGER }, () => 0);
    expect(signal?.aborted).toBe(false);
    release();
  });

  it('lets the signal of the caller fire too', () => {
    const controller = new AbortController();
    const { signal, release } = limitBy({ signal: controller.signal, deadline: 60_000 }, () => 0);
    controller.abort('why');
    expect(signal?.reason).toBe('why');
    release();
  });
});
