import { describe, expect, it } from 'vitest';
import { posterFor, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const sent = { outcome: 'sent' };

describe('the connections of a poster', () => {
  it('are kept and used again', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor(peer);
    for (let at = 0; at < 5; at += 1) await poster.post(connectionId, poster.prepare('hi'));
    expect(peer.connections()).toBe(1);
  });

  it('are never more than were allowed, and every post still gets its turn', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor(peer, { maxSockets: 3 });
    const payload = poster.prepare('hi');
    const posts = Array.from({ length: 50 }, (_, at) => poster.post(`connection-${at}=`, payload));
    expect(await Promise.all(posts)).toEqual(posts.map(() => sent));
    expect(peer.connections()).toBeLessThanOrEqual(3);
  });

  it('are not used after a peer has said that it closes', async () => {
    const peer = await startPeer(() => ({ status: 200, headers: { connection: 'close' } }));
    const poster = posterFor(peer, { retries: 0 });
    for (let at = 0; at < 3; at += 1)
      expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(3);
  });

  it('make way for new ones where posts wait and the peer keeps none', async () => {
    const peer = await startPeer(() => ({ status: 200, headers: { connection: 'close' } }));
    const poster = posterFor(peer, { retries: 0, maxSockets: 2 });
    const ids = Array.from({ length: 10 }, (_, at) => `connection-${at}=`);
    expect(await poster.postAll(ids, poster.prepare('hi'))).toMatchObject({ sent: 10 });
    expect(peer.connections()).toBe(10);
  });

  it('are not used after a rest that peers do not wait out', async () => {
    let time = Date.now();
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor(peer, { maxIdleMs: 15_000, now: () => time });
    await poster.post(connectionId, poster.prepare('hi'));
    time += 15_000;
    await poster.post(connectionId, poster.prepare('hi'));
    expect(peer.connections()).toBe(1);
    time += 15_001;
    await poster.post(connectionId, poster.prepare('hi'));
    expect(peer.connections()).toBe(2);
  });

  it('that a peer drops on the second request cost one counted retry, and no more', async () => {
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection === 1 && peer.requests.length === 2) socket.destroy();
      else socket.write(ok);
    });
    const poster = posterFor(peer, { retries: 1 });
    expect(await poster.post(connectionId, poster.prepare('one'))).toEqual(sent);
    expect(await poster.post(connectionId, poster.prepare('two'))).toEqual(sent);
    expect(peer.requests).toHaveLength(3);
    expect(peer.requests[2]).toContain('attempt=2; max=2');
  });

  it('never send a post a second time where retries are the caller’s', async () => {
    const peer = await startWirePeer((socket) => {
      if (peer.requests.length === 2) socket.destroy();
      else socket.write(ok);
    });
    const poster = posterFor(peer, { retries: 0 });
    await poster.post(connectionId, poster.prepare('one'));
    const outcome = await poster.post(connectionId, poster.prepare('two'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', isRetryable: true });
    expect(peer.requests).toHaveLength(2);
  });

  it('are given up after an answer that is cut off', async () => {
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection === 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc');
      else socket.write(ok);
    });
    const poster = posterFor(peer, { retries: 1 });
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(2);
  });

  it('are given up after an answer that came before the request was out', async () => {
    const large = 'x'.repeat(8 * 1024 * 1024);
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection > 1) socket.write(ok);
    });
    // Answers the head alone and reads no further, so that the body cannot all have left.
    peer.onConnection((socket) => {
      if (peer.connections() > 1) return;
      socket.removeAllListeners('data');
      socket.once('data', () => socket.pause().write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n'));
    });
    const poster = posterFor(peer, { retries: 0 });
    expect(await poster.post(connectionId, poster.prepare(large))).toMatchObject({ outcome: 'too_large' });
    expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(2);
  });

  it('take an answer in pieces, in chunks, and after an interim one', async () => {
    const pieces = [
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.',
      '1 200 OK\r\ntransfer-encoding: chunked\r\n',
      '\r\n2\r\nhi\r\n0\r\n',
      '\r\n',
    ];
    const peer = await startWirePeer((socket) => {
      const writeNext = (): void => {
        const piece = pieces[at];
        at += 1;
        // The callback comes once the piece has left, so the pieces are packets of their own.
        if (piece !== undefined) socket.write(piece, () => setImmediate(writeNext));
      };
      let at = 0;
      writeNext();
    });
    const poster = posterFor(peer);
    for (let at = 0; at < 3; at += 1)
      expect(await poster.post(connectionId, poster.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(1);
  });

  it('carry nothing to a peer whose certificate is not trusted', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const poster = posterFor({ origin: peer.origin }, { retries: 0 });
    const outcome = await poster.post(connectionId, poster.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network' });
    expect(peer.seen).toEqual([]);
  });

  it('end with the poster, and so does what they carry', async () => {
    const peer = await startWirePeer(() => poster.close());
    const poster = posterFor(peer, { retries: 0 });
    const outcome = await poster.post(connectionId, poster.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed' });
  });
});
