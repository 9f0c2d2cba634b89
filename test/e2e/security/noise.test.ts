import { once } from 'node:events';
import type { ClientRequestArgs } from 'node:http';
import net, { type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { readClientFrame } from '../../../protocol/index.ts';
import { useEndpoint } from '../../core/targets/endpoint.ts';
import { faultOfAnswer, faultOfResponse, noisyFrame, noisyPublish, sample } from '../../noise.ts';
import type { Client } from '../client.ts';
import type { Stack } from '../stack.ts';
import { tokenOf } from './use.ts';
import { startWholeStack } from './whole-stack.ts';

const endpoint = useEndpoint();
let stack: Stack;
const seed = Date.now();
const rejections: unknown[] = [];
const onRejection = (cause: unknown) => rejections.push(cause);
beforeAll(async () => {
  process.on('unhandledRejection', onRejection);
  stack = await startWholeStack(endpoint.url, {
    logLevel: 'WARN',
    userRate: { rateLimit: 100_000, burstLimit: 100_000 },
  });
});
afterAll(async () => {
  process.off('unhandledRejection', onRejection);
  await stack.close();
});

/** Runs tasks on several connections at once, as the stack has several environments of a function. */
async function inLanes<Item>(
  items: readonly Item[],
  lanes: number,
  work: (lane: readonly Item[], index: number) => Promise<void>,
): Promise<void> {
  const size = Math.ceil(items.length / lanes);
  const parts = Array.from({ length: lanes }, (_, index) => items.slice(index * size, (index + 1) * size));
  await Promise.all(parts.map(work));
}

/** Whether a frame is answered for certain: it succeeds silently only without an id. */
function isAnswered(frame: string): boolean {
  const reading = readClientFrame(frame);
  return !reading.ok || reading.frame.id !== undefined || reading.frame.type === 'ping';
}

describe('noise on the socket', () => {
  it('of 3,000 frames is answered, one answer for each', async () => {
    const frames = sample(noisyFrame, 3_000, seed).filter(isAnswered);
    await inLanes(frames, 8, async (lane, index) => {
      const client: Client = await stack.connect({ user: `noise-${String(index)}`, topics: ['news.*'] });
      const faults: string[] = [];
      for (const frame of lane) {
        client.send(frame === '' ? ' ' : frame);
        const fault = faultOfAnswer(frame, await client.nextText());
        if (fault !== undefined) faults.push(fault);
      }
      expect(faults, `seed ${String(seed)}`).toEqual([]);
      await client.close();
    });
  }, 120_000);

  it('of 2,000 raw frames gets an answer, or a close code of the protocol', async () => {
    const raw = sample(rawFrames, 2_000, seed);
    const codes = new Set<number>();
    await inLanes(raw, 8, async (lane, index) => {
      let open: RawConnection | undefined;
      for (const bytes of lane) {
        open ??= await openRaw(`raw-${String(index)}`);
        const code = await open.survives(bytes);
        if (code === undefined) continue;
        // The answer to a close of the client repeats its code.
        if (((bytes[0] ?? 0) & 0x0f) !== 8) codes.add(code);
        open = undefined;
      }
      open?.end();
    });
    expect([...codes].sort()).toEqual([1002, 1003, 1007, 1009]);
  }, 180_000);

  it('loses no function, and leaves no rejection', () => {
    const lost = stack.lines.filter((line) =>
      /internal|Internal server error|Uncaught|Runtime\.|Sandbox\.| 5\d\d \d+ ms/.test(line),
    );
    expect(lost).toEqual([]);
    expect(rejections).toEqual([]);
  });
});

interface RawConnection {
  /** Writes bytes, then a ping frame in text. Resolves to the close code; `undefined`: the ping was answered. */
  survives(bytes: Buffer): Promise<number | undefined>;
  end(): void;
}

/** A connection whose client writes any bytes. `ws` makes the handshake, and reads what the server sends. */
async function openRaw(user: string): Promise<RawConnection> {
  const transports: Socket[] = [];
  const socket = new WebSocket(await stack.webSocketUrl({ user }), {
    createConnection({ host, port }: ClientRequestArgs) {
      const transport = net.connect(Number(port), host ?? undefined);
      transports.push(transport);
      return transport;
    },
  });
  await once(socket, 'open');
  const [transport] = transports;
  if (!transport) throw new Error('The connection has a transport.');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  const texts: string[] = [];
  let arrived: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    texts.push(data.toString());
    arrived();
  });
  return {
    async survives(bytes) {
      transport.write(Buffer.concat([bytes, clientFrame({ opcode: 1, payload: Buffer.from('ping') })]));
      const answered = new Promise<undefined>((resolve) => {
        arrived = () => {
          if (texts.includes('pong')) resolve(undefined);
        };
      });
      const code = await Promise.race([closed, answered]);
      for (const text of texts.splice(0)) expect(faultOfAnswer('ping', text)).toBeUndefined();
      return code;
    },
    end() {
      socket.terminate();
    },
  };
}

interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly isFinal?: boolean;
  readonly isMasked?: boolean;
  readonly reserved?: number;
  /** @default - that of the payload */
  readonly length?: bigint;
}

/** The bytes of a frame (RFC 6455, 5.2) with any mistakes in it. */
function clientFrame({
  opcode,
  payload,
  isFinal = true,
  isMasked = true,
  reserved = 0,
  length,
}: RawFrame): Buffer {
  const bytes = length ?? BigInt(payload.length);
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const form = bytes < 126n ? Number(bytes) : bytes < 65_536n ? 126 : 127;
  const extended = Buffer.alloc(form === 127 ? 8 : form === 126 ? 2 : 0);
  if (form === 127) extended.writeBigUInt64BE(bytes);
  if (form === 126) extended.writeUInt16BE(Number(bytes));
  const head = Buffer.from([first, (isMasked ? 0x80 : 0) | form]);
  // A mask of zeros leaves the payload unchanged.
  return Buffer.concat([head, extended, Buffer.alloc(isMasked ? 4 : 0), payload]);
}

const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const smallPayload = fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes));
const text = noisyFrame.map((frame) => Buffer.from(frame));

/** A message in fragments, with control frames between them. */
const fragments = fc
  .tuple(text, fc.integer({ min: 1, max: 5 }), smallPayload)
  .map(([whole, count, control]) => {
    const size = Math.ceil(whole.length / count);
    const parts = Array.from({ length: count }, (_, index) =>
      whole.subarray(index * size, (index + 1) * size),
    );
    return Buffer.concat(
      parts.flatMap((part, index) => [
        clientFrame({ opcode: index === 0 ? 1 : 0, isFinal: index === count - 1, payload: part }),
        clientFrame({ opcode: index % 2 === 0 ? 9 : 10, payload: control }),
      ]),
    );
  });

const rawFrames: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fragments },
  { weight: 4, arbitrary: smallPayload.map((bytes) => clientFrame({ opcode: 9, payload: bytes })) },
  { weight: 4, arbitrary: text.map((bytes) => clientFrame({ opcode: 1, payload: bytes })) },
  // Text that is not UTF-8, binary messages, control frames above 125 bytes, continuations of nothing, opcodes of nobody.
  fc
    .tuple(payload, fc.integer({ min: 0, max: 15 }))
    .map(([bytes, opcode]) => clientFrame({ opcode, payload: bytes })),
  fc
    .tuple(payload, fc.integer({ min: 1, max: 7 }))
    .map(([bytes, reserved]) => clientFrame({ opcode: 1, payload: bytes, reserved })),
  payload.map((bytes) => clientFrame({ opcode: 1, payload: bytes, isMasked: false })),
  fc
    .bigInt({ min: 32_769n, max: 2n ** 64n - 1n })
    .map((length) => clientFrame({ opcode: 1, payload: Buffer.alloc(0), length })),
  // A close with any code and reason.
  smallPayload.map((bytes) => clientFrame({ opcode: 8, payload: bytes })),
);

describe('noise over HTTP', () => {
  it('of 500 requests to each route with a body is answered as the protocol says', async () => {
    const authorization = `Bearer ${await tokenOf({ user: 'noise' })}`;
    const toMessages = sample(noisyFrame, 500, seed).map((body) => async () => {
      const response = await fetch(`${stack.url}/messages`, {
        method: 'POST',
        headers: { authorization },
        body,
      });
      return faultOfResponse(body, response.status, await response.text());
    });
    const toPublish = sample(noisyPublish, 500, seed).map((body) => async () => {
      const { status, body: answer } = await stack.call('POST', '/publish', body);
      return faultOfResponse(body, status, JSON.stringify(answer));
    });
    const faults: unknown[] = [];
    await inLanes([...toMessages, ...toPublish], 8, async (lane) => {
      for (const request of lane) faults.push(await request());
    });
    expect(
      faults.filter((fault) => fault !== undefined),
      `seed ${String(seed)}`,
    ).toEqual([]);
  }, 120_000);

  it('of 300 raw requests gets a status, or a close', async () => {
    const lines = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(
          fc.constantFrom('GET', 'POST', 'DELETE', 'BREW', ''),
          fc.string({ maxLength: 60, unit: 'binary' }),
          noisyFrame,
        )
        .map(([method, path, body]) =>
          Buffer.from(
            `${method} /${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
          ),
        ),
    );
    await inLanes(sample(lines, 300, seed), 8, async (lane) => {
      for (const bytes of lane) expect(await statusOf(bytes)).toMatch(/^(HTTP\/1\.1 [1-4]\d\d |$)/);
    });
    expect((await fetch(`${stack.url}/_local/health`)).status).toBe(200);
    expect(rejections).toEqual([]);
  }, 120_000);
});

/** The first line of the answer to raw bytes. Empty: the server closed the connection. */
async function statusOf(bytes: Buffer): Promise<string> {
  const socket = net.connect(Number(new URL(stack.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end(bytes);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    socket.destroy();
  });
  await once(socket, 'close');
  return Buffer.concat(chunks).toString().split('\r\n')[0] ?? '';
}
