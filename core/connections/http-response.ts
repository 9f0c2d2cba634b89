/** A whole HTTP response. Header names are lower case. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether the connection may carry another request. */
  readonly keepsConnection: boolean;
}

/** The peer does not speak HTTP/1.1, or its response is longer than any of `@connections`. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
  /** Like an error of the system, so that it counts as a failure of the network. */
  readonly code = 'MALFORMED_RESPONSE';
}

/** Responses of `@connections` have a few hundred bytes. A peer that sends more than this is something else. */
export const maxResponseBytes = 64 * 1024;

/**
 * Reads one HTTP/1.1 response (RFC 9112) from all bytes received so far, or returns `incomplete`.
 * It starts over with each chunk on purpose: nearly every response is one chunk, and a function of all bytes cannot
 * depend on where the network cut them.
 * @param ended whether the peer has closed its side, which ends a body without a stated length.
 */
export function readResponse(bytes: Buffer, ended: boolean): HttpResponse | 'incomplete' {
  if (bytes.length > maxResponseBytes) throw new MalformedResponse('The response is too long.');
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return 'incomplete';
  const [statusLine = '', ...headerLines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const [, minorVersion, status] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(statusLine) ?? [];
  if (status === undefined) throw new MalformedResponse('No HTTP/1.1 status line.');
  const statusCode = Number(status);
  const afterHead = bytes.subarray(headEnd + 4);
  // 100 and 103 come before the response (RFC 9110, 15.2). No request asks for 101.
  if (statusCode === 101) throw new MalformedResponse('Unasked switch of protocol.');
  if (statusCode < 200) return readResponse(afterHead, ended);

  const headers = readHeaders(headerLines);
  const framed = readBody(afterHead, statusCode, headers, ended);
  if (framed === 'incomplete') return framed;
  const asksToClose = /(?:^|,)\s*close\s*(?:,|$)/i.test(headers.connection ?? '');
  return {
    statusCode,
    headers,
    body: framed.body,
    // The next request on this connection would take bytes after the response for its own response.
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
      throw new MalformedResponse('Not a header line.');
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
      throw new MalformedResponse('Unknown framing.');
    return readChunks(bytes);
  }
  if (stated === undefined)
    return ended ? { body: bytes, consumed: bytes.length, untilClose: true } : 'incomplete';
  if (!/^\d{1,9}$/.test(stated)) throw new MalformedResponse('Not a content-length.');
  const length = Number(stated);
  if (length > maxResponseBytes) throw new MalformedResponse('The response is too long.');
  return bytes.length < length ? 'incomplete' : { body: bytes.subarray(0, length), consumed: length };
}

function readChunks(bytes: Buffer): FramedBody | 'incomplete' {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return 'incomplete';
    const [, hexLength] = /^([\da-f]{1,6})[ \t]*(?:;.*)?$/i.exec(bytes.toString('latin1', at, lineEnd)) ?? [];
    if (hexLength === undefined) throw new MalformedResponse('Not a chunk length.');
    const length = Number.parseInt(hexLength, 16);
    const start = lineEnd + 2;
    if (length === 0) return readTrailers(bytes, start, Buffer.concat(parts));
    if (bytes.length < start + length + 2) return 'incomplete';
    if (bytes.toString('latin1', start + length, start + length + 2) !== '\r\n')
      throw new MalformedResponse('Chunk without end.');
    parts.push(bytes.subarray(start, start + length));
    at = start + length + 2;
  }
}

/** Trailers end with an empty line. Their content is not needed. */
function readTrailers(bytes: Buffer, start: number, body: Buffer): FramedBody | 'incomplete' {
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return 'incomplete';
    if (lineEnd === at) return { body, consumed: at + 2 };
    at = lineEnd + 2;
  }
}
