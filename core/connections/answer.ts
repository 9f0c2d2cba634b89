/** An HTTP answer, read whole. Header names are lower case. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether the connection may carry another request. */
  readonly keepsConnection: boolean;
}

/** The peer does not speak HTTP/1.1, or says more than an answer of `@connections` can be. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** Answers of `@connections` are a few hundred bytes; a peer that sends more than this is not it. */
export const maxAnswerBytes = 64 * 1024;

/**
 * Reads one HTTP/1.1 answer (RFC 9112) from all the bytes received so far, or says `incomplete`.
 * Starting over with each chunk is on purpose: nearly every answer is one chunk, and a function of the bytes
 * alone cannot depend on where the network cut them.
 * @param ended whether the peer has closed its side, which is what ends a body of no stated length.
 */
export function readAnswer(bytes: Buffer, ended: boolean): Answer | 'incomplete' {
  if (bytes.length > maxAnswerBytes) throw new MalformedAnswer('The answer is too long.');
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return 'incomplete';
  const [statusLine = '', ...headerLines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const [, minorVersion, status] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(statusLine) ?? [];
  if (status === undefined) throw new MalformedAnswer('No HTTP/1.1 status line.');
  const statusCode = Number(status);
  const afterHead = bytes.subarray(headEnd + 4);
  // 100 and 103 come before the answer (RFC 9110, 15.2); 101 we never ask for.
  if (statusCode === 101) throw new MalformedAnswer('Unasked switch of protocol.');
  if (statusCode < 200) return readAnswer(afterHead, ended);

  const headers = readHeaders(headerLines);
  const framed = readBody(afterHead, statusCode, headers, ended);
  if (framed === 'incomplete') return framed;
  const asksToClose = /(?:^|,)\s*close\s*(?:,|$)/i.test(headers.connection ?? '');
  return {
    statusCode,
    headers,
    body: framed.body,
    // Bytes after the answer are an answer to no question: whoever got the connection next would take them for its own.
    keepsConnection:
      minorVersion === '1' && !asksToClose && framed.consumed === afterHead.length && !framed.untilClose,
  };
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !/^[!#$%&'*+\-.^_`|~\da-z]+$/.test(name))
      throw new MalformedAnswer('Not a header line.');
    const value = line.slice(colon + 1).trim();
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`;
  }
  return headers;
}

interface FramedBody {
  readonly body: Uint8Array;
  readonly consumed: number;
  readonly untilClose?: true;
}

/** The length of a body, in the order of RFC 9112, 6.3. */
function readBody(
  bytes: Buffer,
  statusCode: number,
  headers: Readonly<Record<string, string>>,
  ended: boolean,
): FramedBody | 'incomplete' {
  if (statusCode === 204 || statusCode === 304) return { body: new Uint8Array(), consumed: 0 };
  const coding = headers['transfer-encoding'];
  const stated = headers['content-length'];
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked' || stated !== undefined)
      throw new MalformedAnswer('Unknown framing.');
    return readChunks(bytes);
  }
  if (stated === undefined)
    return ended ? { body: bytes, consumed: bytes.length, untilClose: true } : 'incomplete';
  if (!/^\d{1,9}$/.test(stated)) throw new MalformedAnswer('Not a content-length.');
  const length = Number(stated);
  if (length > maxAnswerBytes) throw new MalformedAnswer('The answer is too long.');
  return bytes.length < length ? 'incomplete' : { body: bytes.subarray(0, length), consumed: length };
}

function readChunks(bytes: Buffer): FramedBody | 'incomplete' {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return 'incomplete';
    const [, hexLength] = /^([\da-f]{1,6})[ \t]*(?:;.*)?$/i.exec(bytes.toString('latin1', at, lineEnd)) ?? [];
    if (hexLength === undefined) throw new MalformedAnswer('Not a chunk length.');
    const length = Number.parseInt(hexLength, 16);
    const start = lineEnd + 2;
    if (length === 0) return readTrailers(bytes, start, Buffer.concat(parts));
    if (bytes.length < start + length + 2) return 'incomplete';
    if (bytes.toString('latin1', start + length, start + length + 2) !== '\r\n')
      throw new MalformedAnswer('Chunk without end.');
    parts.push(bytes.subarray(start, start + length));
    at = start + length + 2;
  }
}

/** Trailers end with an empty line; nothing here needs their content. */
function readTrailers(bytes: Buffer, start: number, body: Buffer): FramedBody | 'incomplete' {
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return 'incomplete';
    if (lineEnd === at) return { body, consumed: at + 2 };
    at = lineEnd + 2;
  }
}
