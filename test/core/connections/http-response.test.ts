import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MalformedResponse,
  maxResponseBytes,
  readResponse,
} from '../../../core/connections/http-response.ts';

describe('an HTTP answer', () => {
  it('is read the same at every cut that the network can make', () => {
    const body = fc.string({ maxLength: 200 });
    fc.assert(
      fc.property(
        fc.constantFrom(200, 403, 410, 429, 503),
        body,
        fc.boolean(),
        fc.nat(6),
        (status, text, isChunked, interim) => {
          const bytes = Buffer.from(
            'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(interim % 3) +
              render(status, text, isChunked),
          );
          for (let end = 0; end < bytes.length; end += 1) {
            expect(readResponse(bytes.subarray(0, end), false)).toBe('incomplete');
          }
          expect(readResponse(bytes, false)).toMatchObject({ statusCode: status, keepsConnection: true });
          expect(bodyOf(bytes)).toBe(text);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('has header names in lower case, values trimmed, and repeated ones joined', () => {
    const answer = readResponse(
      Buffer.from('HTTP/1.1 204 \r\nX-Amzn-RequestId:  a-1 \r\nA: 1\r\na: 2\r\n\r\n'),
      false,
    );
    expect(answer).toMatchObject({ statusCode: 204, headers: { 'x-amzn-requestid': 'a-1', a: '1, 2' } });
  });

  it('reads chunks with extensions and trailers', () => {
    const text =
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;name=x\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n';
    expect(bodyOf(Buffer.from(text))).toBe('abc0123456789');
  });

  it('without a stated length ends when the connection ends', () => {
    const bytes = Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n<html>');
    expect(readResponse(bytes, false)).toBe('incomplete');
    expect(readResponse(bytes, true)).toMatchObject({ statusCode: 502, keepsConnection: false });
    expect(bodyOf(bytes, true)).toBe('<html>');
  });

  it('may be as long as the limit, and no longer', () => {
    const head = 'HTTP/1.1 200 OK\r\n\r\n';
    const longest = Buffer.from(head + 'x'.repeat(maxResponseBytes - head.length));
    expect(readResponse(longest, true)).toMatchObject({ statusCode: 200 });
    expect(() => readResponse(Buffer.concat([longest, Buffer.from('x')]), true)).toThrow('too long');
  });

  it.each([
    ['connection: close', 'HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\ncontent-length: 0\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['bytes after the answer', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n'],
  ])('does not keep the connection after %s', (_, text) => {
    expect(readResponse(Buffer.from(text), false)).toMatchObject({ statusCode: 200, keepsConnection: false });
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['an unasked switch of protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a header with a space in its name', 'HTTP/1.1 200 OK\r\ncontent-length : 3\r\n\r\nabc'],
    ['a folded header', 'HTTP/1.1 200 OK\r\na: 1\r\n  b: 2\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['both framings', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'text before a chunk length',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx3\r\nabc\r\n0\r\n\r\n',
    ],
    [
      'text after a chunk length',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3x\r\nabc\r\n0\r\n\r\n',
    ],
    ['an invalid chunk length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n'],
    [
      'a chunk that is longer than stated',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabcdef\r\n',
    ],
    [
      'a length that no answer of API Gateway has',
      `HTTP/1.1 200 OK\r\ncontent-length: ${maxResponseBytes + 1}\r\n\r\n`,
    ],
    ['more bytes than an answer can have', 'x'.repeat(maxResponseBytes + 1)],
  ])('is refused for %s', (_, text) => {
    expect(() => readResponse(Buffer.from(text), false)).toThrow(MalformedResponse);
  });

  it('makes the reader throw no other error, for any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((random) => Buffer.from(random)),
      fc
        .array(
          fc.constantFrom('HTTP/1.1 200 OK', '\r\n', 'a: b', 'transfer-encoding: chunked', '5', ' ', '\0'),
        )
        .map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(bytes, fc.boolean(), (random, ended) => {
        try {
          readResponse(random, ended);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedResponse);
        }
      }),
    );
  });
});

function render(status: number, text: string, isChunked: boolean): string {
  const head = `HTTP/1.1 ${status} Reason\r\ndate: Fri, 20 Nov 2026 10:00:00 GMT\r\n`;
  const bytes = Buffer.byteLength(text);
  if (!isChunked) return `${head}content-length: ${bytes}\r\n\r\n${text}`;
  const chunk = bytes > 0 ? `${bytes.toString(16)}\r\n${text}\r\n` : '';
  return `${head}transfer-encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

function bodyOf(bytes: Buffer, ended = false): string {
  const answer = readResponse(bytes, ended);
  return answer === 'incomplete' ? answer : Buffer.from(answer.body).toString();
}
