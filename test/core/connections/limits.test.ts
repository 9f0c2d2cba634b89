import { describe, expect, it } from 'vitest';
import { limitBy } from '../../../core/connections/limits.ts';
import { posterFor, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';
const aborted = { outcome: 'failed', reason: 'aborted', isRetryable: false };
const late = { outcome: 'failed', reason: 'deadline', isRetryable: false };

describe('a signal', () => {
  it('that has fired already sends nothing', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor(peer);
    const limits = { signal: AbortSignal.abort() };
    expect(await poster.post(connectionId, poster.prepare('hi'), limits)).toMatchObject(aborted);
    expect(await poster.disconnect(connectionId, limits)).toMatchObject(aborted);
    expect(peer.seen).toEqual([]);
  });

  it('ends a post that waits for its answer, and its connection with it', async () => {
    const controller = new AbortController();
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection === 1) controller.abort();
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    const poster = posterFor(peer);
    const { signal } = controller;
    expect(await poster.post(connectionId, poster.prepare('hi'), { signal })).toMatchObject(aborted);
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual({ outcome: 'sent' });
    expect(peer.connections()).toBe(2);
  });

  it('ends a post that waits for a connection', async () => {
    const controller = new AbortController();
    const peer = await startWirePeer((socket) => {
      controller.abort();
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    const poster = posterFor(peer, { maxSockets: 1 });
    const first = poster.post(connectionId, poster.prepare('first'));
    const second = poster.post(connectionId, poster.prepare('second'), { signal: controller.signal });
    expect(await second).toMatchObject(aborted);
    expect(await first).toEqual({ outcome: 'sent' });
    expect(peer.requests).toHaveLength(1);
  });

  it('ends the wait before a retry', async () => {
    const controller = new AbortController();
    const peer = await startPeer(() => ({ status: 429 }));
    const poster = posterFor(peer, {
      throttledDelayMs: 60_000,
      random: () => {
        controller.abort();
        return 0.99;
      },
    });
    const { signal } = controller;
    expect(await poster.post(connectionId, poster.prepare('hi'), { signal })).toMatchObject(aborted);
    expect(peer.seen).toHaveLength(1);
  });
});

describe('a deadline', () => {
  it('that has passed sends nothing', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor(peer, { now: () => 1_000 });
    expect(await poster.post(connectionId, poster.prepare('hi'), { deadline: 1_000 })).toMatchObject(late);
    expect(peer.seen).toEqual([]);
  });

  it('ends a post that waits for its answer', async () => {
    const peer = await startWirePeer(() => undefined);
    const poster = posterFor(peer);
    const deadline = Date.now() + 40;
    expect(await poster.post(connectionId, poster.prepare('hi'), { deadline })).toMatchObject(late);
  });

  it('ends the wait before a retry', async () => {
    const peer = await startPeer(() => ({ status: 429 }));
    const poster = posterFor(peer, { throttledDelayMs: 60_000, random: () => 0.99 });
    const deadline = Date.now() + 100;
    expect(await poster.post(connectionId, poster.prepare('hi'), { deadline })).toMatchObject(late);
    expect(peer.seen).toHaveLength(1);
  });

  it('far away is no timer that fires at once', () => {
    const { signal, release } = limitBy({ deadline: Number.MAX_SAFE_INTEGER }, () => 0);
    expect(signal?.aborted).toBe(false);
    release();
  });

  it('leaves the signal beside it in force', () => {
    const controller = new AbortController();
    const { signal, release } = limitBy({ signal: controller.signal, deadline: 60_000 }, () => 0);
    controller.abort('why');
    expect(signal?.reason).toBe('why');
    release();
  });
});
