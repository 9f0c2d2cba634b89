import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clientFor, startPeer, startWirePeer } from './peer.ts';

const connectionId = 'L0SM9cOFvHcCIhw=';
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const sent = { outcome: 'sent' };
const clientModule = new URL('../../../core/connections/client.ts', import.meta.url).href;

describe('a socket', () => {
  it('is kept and used again', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer);
    for (let at = 0; at < 5; at += 1) await client.post(connectionId, client.prepare('hi'));
    expect(peer.connections()).toBe(1);
  });

  it('is awaited if the limit of sockets is reached', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer, { maxSockets: 3 });
    const payload = client.prepare('hi');
    const posts = Array.from({ length: 50 }, (_, at) => client.post(`connection-${at}=`, payload));
    expect(await Promise.all(posts)).toEqual(posts.map(() => sent));
    expect(peer.connections()).toBeLessThanOrEqual(3);
  });

  it('is not used again after the peer said that it closes', async () => {
    const peer = await startPeer(() => ({ status: 200, headers: { connection: 'close' } }));
    const client = clientFor(peer, { retries: 0 });
    for (let at = 0; at < 3; at += 1)
      expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(3);
  });

  it('makes room for a new one if posts wait and the peer keeps no connection', async () => {
    const peer = await startPeer(() => ({ status: 200, headers: { connection: 'close' } }));
    const client = clientFor(peer, { retries: 0, maxSockets: 2 });
    const ids = Array.from({ length: 10 }, (_, at) => `connection-${at}=`);
    expect(await client.postAll(ids, client.prepare('hi'))).toMatchObject({ sent: 10 });
    expect(peer.connections()).toBe(10);
  });

  it('is not used again if it was idle for too long by the clock', async () => {
    let time = Date.now();
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor(peer, { maxIdleMs: 15_000, now: () => time });
    await client.post(connectionId, client.prepare('hi'));
    time += 15_000;
    await client.post(connectionId, client.prepare('hi'));
    expect(peer.connections()).toBe(1);
    time += 15_001;
    await client.post(connectionId, client.prepare('hi'));
    expect(peer.connections()).toBe(2);
  });

  it('on which the peer answers without a request is closed, and the next post gets a new one', async () => {
    const sockets: Socket[] = [];
    const peer = await startWirePeer((socket) => socket.write(ok));
    peer.onConnection((socket) => sockets.push(socket));
    const client = clientFor(peer, { retries: 0 });
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    const [idle] = sockets;
    if (!idle) throw new Error('The peer saw no connection.');
    const closed = once(idle, 'close');
    // A server may announce with a 408 that it ends an idle connection (RFC 9110, 15.5.9).
    idle.write('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n');
    await closed;
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(2);
  });

  it('that breaks on its second request costs one retry', async () => {
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection === 1 && peer.requests.length === 2) socket.destroy();
      else socket.write(ok);
    });
    const client = clientFor(peer, { retries: 1 });
    expect(await client.post(connectionId, client.prepare('one'))).toEqual(sent);
    expect(await client.post(connectionId, client.prepare('two'))).toEqual(sent);
    expect(peer.requests).toHaveLength(3);
  });

  it('that breaks never repeats a post by itself', async () => {
    const peer = await startWirePeer((socket) => {
      if (peer.requests.length === 2) socket.destroy();
      else socket.write(ok);
    });
    const client = clientFor(peer, { retries: 0 });
    await client.post(connectionId, client.prepare('one'));
    const outcome = await client.post(connectionId, client.prepare('two'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network', isRetryable: true });
    expect(peer.requests).toHaveLength(2);
  });

  it('is closed after an answer that is cut off', async () => {
    const peer = await startWirePeer((socket, { connection }) => {
      if (connection === 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc');
      else socket.write(ok);
    });
    const client = clientFor(peer, { retries: 1 });
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(2);
  });

  it('is closed after an answer that came before the request was sent', async () => {
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
    const client = clientFor(peer, { retries: 0 });
    expect(await client.post(connectionId, client.prepare(large))).toMatchObject({ outcome: 'too_large' });
    expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(2);
  });

  it('takes an answer in pieces, in chunks, and after an interim answer', async () => {
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
    const client = clientFor(peer);
    for (let at = 0; at < 3; at += 1)
      expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    expect(peer.connections()).toBe(1);
  });

  it('resumes the TLS session of the previous one', async () => {
    const peer = await startPeer(() => ({ status: 200, headers: { connection: 'close' } }));
    const client = clientFor(peer, { retries: 0 });
    for (let at = 0; at < 2; at += 1)
      expect(await client.post(connectionId, client.prepare('hi'))).toEqual(sent);
    expect(peer.resumed()).toBe(1);
  });

  it('does not keep a script alive while it is idle', async () => {
    const peer = await startPeer(() => ({ status: 200 }), { isPlain: true });
    const script = `
      import { createConnectionsClient } from ${JSON.stringify(clientModule)};
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      const client = createConnectionsClient({ endpoint: ${JSON.stringify(peer.origin)}, region: 'us-east-1', credentials });
      console.log((await client.post('a', client.prepare('hi'))).outcome);`;
    const command = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const run = promisify(execFile)(process.execPath, command, { timeout: 60_000 });
    expect((await run).stdout).toBe('sent\n');
    expect(peer.connections()).toBe(1);
  }, 90_000);

  it('carries nothing to a peer whose certificate is not trusted', async () => {
    const peer = await startPeer(() => ({ status: 200 }));
    const client = clientFor({ origin: peer.origin }, { retries: 0 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed', reason: 'network' });
    expect(peer.seen).toEqual([]);
  });

  it('is closed with the client, and its request fails', async () => {
    const peer = await startWirePeer(() => client.close());
    const client = clientFor(peer, { retries: 0 });
    const outcome = await client.post(connectionId, client.prepare('hi'));
    expect(outcome).toMatchObject({ outcome: 'failed' });
  });
});
