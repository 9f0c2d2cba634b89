/** The header of one RFC 6455 frame, as section 5.2 lays it out. */
export interface FrameHeader {
  readonly final: boolean;
  readonly opcode: number;
  readonly payloadBytes: number;
}

/**
 * Reads frame headers from a byte stream that the network cut anywhere, and skips the payloads. API Gateway limits a
 * frame to 32 KB and a message to 128 KB (apigateway-execution-service-websocket-limits-table). `ws` limits messages
 * only. `onFrame` is called when a header is complete: a frame that is too large is refused before its payload arrives.
 */
export class FrameReader {
  // 2 fixed bytes, up to 8 bytes of length, 4 bytes of masking key.
  readonly #header = Buffer.alloc(14);
  readonly #onFrame: (frame: FrameHeader) => void;
  #filled = 0;
  #payloadLeft = 0;

  constructor(onFrame: (frame: FrameHeader) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= skipped;
        at += skipped;
        continue;
      }
      at += chunk.copy(this.#header, this.#filled, at, at + 1);
      this.#filled += 1;
      if (this.#filled < headerBytes(this.#header, this.#filled)) continue;
      const frame = decode(this.#header);
      this.#filled = 0;
      this.#payloadLeft = frame.payloadBytes;
      this.#onFrame(frame);
    }
  }
}

/** Finds the first frame above the limit. Whole messages that came before it are admitted. */
export class FrameLimit {
  readonly #reader: FrameReader;
  #messages = 0;
  #refusedAfter: number | undefined;

  constructor(maxFrameBytes: number, onRefused: () => void) {
    this.#reader = new FrameReader((frame) => {
      if (this.#refusedAfter !== undefined) return;
      if (frame.payloadBytes > maxFrameBytes) {
        this.#refusedAfter = this.#messages;
        onRefused();
      } else if (frame.final && isData(frame.opcode)) {
        this.#messages += 1;
      }
    });
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** Whether the message with this number is free of refused frames. The first message has number 1. */
  admits(messageNumber: number): boolean {
    return this.#refusedAfter === undefined || messageNumber <= this.#refusedAfter;
  }
}

function headerBytes(header: Buffer, filled: number): number {
  if (filled < 2) return 2;
  const second = header.readUInt8(1);
  const length = second & 0x7f;
  const extended = length === 127 ? 8 : length === 126 ? 2 : 0;
  return 2 + extended + (second & 0x80 ? 4 : 0);
}

function decode(header: Buffer): FrameHeader {
  const first = header.readUInt8(0);
  const length = header.readUInt8(1) & 0x7f;
  return {
    final: (first & 0x80) !== 0,
    opcode: first & 0x0f,
    payloadBytes:
      length === 127 ? Number(header.readBigUInt64BE(2)) : length === 126 ? header.readUInt16BE(2) : length,
  };
}

/** Continuation, text or binary. Control frames have opcodes from 8. */
function isData(opcode: number): boolean {
  return opcode < 8;
}
