import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { createDispatch, type Dispatch } from '../../core/dispatch/dispatch.ts';
import { defineListener } from '../../core/dispatch/define-listener.ts';
import { createProtocolListeners } from '../../core/dispatch/protocol-listeners.ts';
import { createReceive, type Receive } from '../../core/dispatch/receive.ts';
import { faultOfAnswer, heapBytes, noisyFrame, sample } from '../noise.ts';
import { type Core, sessionOf, useDynamoDB } from './core-under-test.ts';

/** Frames as `POST /messages` takes them. */
const requests = 92_000;
/** Frames of a connection. Each reads the row of its session. */
const frames = 3_000;
const atOnce = 500;
/** What a frame leaves in the tables, which are in this process too, and in the list of posts. */
const maxHeapGrowth = 64 * 1024 * 1024;

const dynamodb = useDynamoDB();
let core: Core;
let dispatch: Dispatch;
let receive: Receive;
const session = sessionOf('c1=');
const rejections: unknown[] = [];
const onRejection = (cause: unknown) => rejections.push(cause);

beforeAll(async () => {
  process.on('unhandledRejection', onRejection);
  core = await dynamodb.create();
  await core.sessions.add(session);
  const verify = () => Promise.resolve({ ok: false, reason: 'noise' } as const);
  const repeat = defineListener({ type: 'repeat', content: z.unknown(), handle: ({ content }) => content });
  const logger = { ...core.logger, debug: () => undefined, info: () => undefined };
  const listeners = [...createProtocolListeners({ ...core, verify }), repeat];
  dispatch = createDispatch({ ...core, logger, listeners });
  receive = createReceive({ ...core, dispatch });
});
afterAll(() => process.off('unhandledRejection', onRejection));

const { tenant, userType, userId } = session;
const sender = {
  identity: { tenant, userType, userId },
  rights: { topics: ['news.*'], watch: [] },
  claims: {},
};

/** Adds the codes of the answers to `seen`. */
async function faultsOf(
  texts: readonly string[],
  take: Receive,
  seen: Set<string>,
): Promise<readonly string[]> {
  const faults = await Promise.all(
    texts.map(async (text) => {
      const answer = await take(text, { ...sender, session });
      seen.add(answer ? (answer.refusal?.code ?? 'answered') : 'silent');
      return faultOfAnswer(text, answer?.text);
    }),
  );
  return faults.filter((fault) => fault !== undefined);
}

/** Noise reaches the reader of frames, the table of types, the schemas and the listeners. */
const codesOfBoth = ['bad_frame', 'unknown_type', 'bad_content', 'answered'];

it.each([
  {
    count: requests,
    what: 'requests',
    take: (): Receive => (text) => dispatch(text, { ...sender, session: undefined }),
    codes: codesOfBoth,
  },
  {
    count: frames,
    what: 'frames of a connection',
    take: () => receive,
    // Only sessions may refresh, and only they may succeed without an answer.
    codes: [...codesOfBoth, 'forbidden', 'silent'],
  },
])(
  '$count noisy $what are answered, and leave nothing behind',
  async ({ count, take, codes }) => {
    const seen = new Set<string>();
    const seed = Date.now();
    let warmHeap: number | undefined;
    for (let done = 0; done < count; done += atOnce) {
      const faults = await faultsOf(sample(noisyFrame, atOnce, seed + done), take(), seen);
      expect(faults, `seed ${seed + done}`).toEqual([]);
      if (done >= count / 10) warmHeap ??= heapBytes();
    }
    expect([...seen]).toEqual(expect.arrayContaining(codes));
    expect(heapBytes() - (warmHeap ?? 0)).toBeLessThan(maxHeapGrowth);
    expect(core.warnings.filter((line) => line.includes('failed'))).toEqual([]);
    expect(rejections).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
  180_000,
);
