import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { createDispatch } from '../../core/dispatch/dispatch.ts';
import { defineListener } from '../../core/dispatch/define-listener.ts';
import { createProtocolListeners } from '../../core/dispatch/protocol-listeners.ts';
import { createReceive, type Receive } from '../../core/dispatch/receive.ts';
import { faultOfAnswer, heapBytes, noisyFrame, sample } from '../noise.ts';
import { type Core, sessionOf, useDynamoDB } from './core-under-test.ts';

const count = 95_000;
const atOnce = 500;
/** What a frame leaves in the tables, which are in this process too, and in the list of posts. */
const maxHeapGrowth = 64 * 1024 * 1024;

const dynamodb = useDynamoDB();
let core: Core;
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
  receive = createReceive({ ...core, dispatch: createDispatch({ ...core, logger, listeners }) });
});
afterAll(() => process.off('unhandledRejection', onRejection));

/** The codes of all answers. */
const seen = new Set<string>();

async function faultsOf(frames: readonly string[]): Promise<readonly string[]> {
  const { tenant, userType, userId } = session;
  const sender = {
    identity: { tenant, userType, userId },
    rights: { topics: ['news.*'], watch: [] },
    claims: {},
    session,
  };
  const faults = await Promise.all(
    frames.map(async (frame) => {
      const answer = await receive(frame, sender);
      seen.add(answer ? (answer.refusal?.code ?? 'answered') : 'silent');
      return faultOfAnswer(frame, answer?.text);
    }),
  );
  return faults.filter((fault) => fault !== undefined);
}

it(`${count} noisy frames are answered as the protocol says, and leave nothing behind`, async () => {
  const seed = Date.now();
  let warmHeap: number | undefined;
  for (let done = 0; done < count; done += atOnce) {
    const faults = await faultsOf(sample(noisyFrame, atOnce, seed + done));
    expect(faults, `seed ${seed + done}`).toEqual([]);
    if (done >= count / 10) warmHeap ??= heapBytes();
  }
  // The noise reaches every stage: the reader of frames, the table of types, the schemas, the rights, the listeners.
  const stages = ['bad_frame', 'unknown_type', 'bad_content', 'forbidden', 'answered', 'silent'];
  expect([...seen]).toEqual(expect.arrayContaining(stages));
  expect(heapBytes() - (warmHeap ?? 0)).toBeLessThan(maxHeapGrowth);
  expect(core.warnings.filter((line) => line.includes('failed'))).toEqual([]);
  expect(rejections).toEqual([]);
  expect(Object.keys(Object.prototype)).toEqual([]);
}, 180_000);
