import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { faultOfResponse, heapBytes, noisyFrame, noisyPublish, sample } from '../noise.ts';
import { httpEvent } from './events.ts';
import { useCloud } from './functions-under-test.ts';

const count = 9_000;
const atOnce = 20;
/** What a request leaves in the tables, which are in this process too. */
const maxHeapGrowth = 64 * 1024 * 1024;

const cloud = useCloud();
const rejections: unknown[] = [];
const onRejection = (cause: unknown) => rejections.push(cause);
beforeAll(() => process.on('unhandledRejection', onRejection));
afterAll(() => process.off('unhandledRejection', onRejection));

const authorizer = {
  tenant: 'default',
  userType: 'member',
  userId: '1',
  tokenExpiresAt: String(Date.now() + 3_600_000),
  topics: 'news.*',
};

const response = z.object({ statusCode: z.number(), body: z.string() });

/** The functions behind `POST /publish` and `POST /messages`, by the body of a request. */
async function load() {
  const { handler: publish } = await import('../../lambdas/publish.ts');
  const { createHandler } = await import('../../lambdas/message.ts');
  const message = createHandler({});
  return {
    publish: async (body: string) => response.parse(await publish(httpEvent('POST /publish', { body }))),
    async message(body: string) {
      const { requestContext, ...event } = httpEvent('POST /messages', { body });
      const context = { ...requestContext, authorizer: { lambda: authorizer } };
      return response.parse(await message({ ...event, requestContext: context }));
    },
  };
}

it(`${count} noisy bodies are answered as the protocol says, and leave nothing behind`, async () => {
  const functions = await load();
  const seed = Date.now();
  const statuses = new Set<number>();

  async function faultOf(name: keyof typeof functions, body: string): Promise<string | undefined> {
    const { statusCode, body: answer } = await functions[name](body);
    statuses.add(statusCode);
    return faultOfResponse(body, statusCode, answer);
  }

  let warmHeap: number | undefined;
  for (let done = 0; done < count; done += atOnce) {
    const bodies = [
      ...sample(noisyPublish, atOnce / 2, seed + done).map((body) => faultOf('publish', body)),
      ...sample(noisyFrame, atOnce / 2, seed + done).map((body) => faultOf('message', body)),
    ];
    const faults = (await Promise.all(bodies)).filter((fault) => fault !== undefined);
    expect(faults, `seed ${seed + done}`).toEqual([]);
    if (done >= count / 10) warmHeap ??= heapBytes();
  }
  expect([...statuses]).toEqual(expect.arrayContaining([200, 400]));
  expect(heapBytes() - (warmHeap ?? 0)).toBeLessThan(maxHeapGrowth);
  expect(cloud.current().logged()).not.toContain('failed');
  expect(rejections).toEqual([]);
}, 180_000);
