/** The bytes of one frame (RFC 6455, 5.2). A mask has a key of zeros, which leaves the payload unchanged. */
export function encodeFrame(opcode: number, final: boolean, mask: boolean, payload: Buffer): Buffer {
  const bytes = payload.length;
  const first = (final ? 0x80 : 0) | opcode;
  const length = bytes < 126 ? bytes : bytes < 65_536 ? 126 : 127;
  const extended = Buffer.alloc(length === 127 ? 8 : length === 126 ? 2 : 0);
  if (length === 127) extended.writeBigUInt64BE(BigInt(bytes));
  if (length === 126) extended.writeUInt16BE(bytes);
  const head = Buffer.from([first, (mask ? 0x80 : 0) | length]);
  return Buffer.concat([head, extended, Buffer.alloc(mask ? 4 : 0), payload]);
}
