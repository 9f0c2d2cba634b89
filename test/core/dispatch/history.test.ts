import { describe, expect, it } from 'vitest';
import { createHistoryListener } from '../../../core/dispatch/history.ts';
import { ackFrame, maxDownlinkFrameBytes } from '../../../protocol/index.ts';
import { contextOf, type Core, useDynamoDB } from '../core-under-test.ts';
import { identity, own, publish, session, topics } from '../log/recover-under-test.ts';

const dynamodb = useDynamoDB();

interface Answer {
  readonly messages: readonly { readonly content: unknown; readonly offset: number }[];
  readonly epoch: string;
  readonly head: number;
  readonly next?: number;
}

async function ask(core: Core, content: object, on: typeof session | undefined = session): Promise<Answer> {
  const { handle } = await createHistoryListener(core).accept(content);
  return (await handle(contextOf({ from: identity, session: on }, topics))) as Answer;
}

const contents = ({ messages }: Answer) => messages.map(({ content }) => content);

async function coreWith(count: number, channel = own): Promise<Core> {
  const core = await dynamodb.create();
  for (let content = 1; content <= count; content += 1) await publish(core, content, channel);
  return core;
}

describe('history', () => {
  it('lists the newest messages first, in pages down to the first', async () => {
    const core = await coreWith(5);
    const first = await ask(core, { channel: 'user', limit: 2 });
    expect(contents(first)).toEqual([5, 4]);
    expect(first).toMatchObject({ head: 5, next: 4, messages: [{ type: 'n', channel: own, offset: 5 }, {}] });
    const second = await ask(core, { channel: 'user', before: first.next, limit: 2 });
    expect(contents(second)).toEqual([3, 2]);
    const third = await ask(core, { channel: 'user', before: second.next, limit: 2 });
    expect(contents(third)).toEqual([1]);
    expect(third).not.toHaveProperty('next');
  });

  it('lists the messages after an offset, oldest first', async () => {
    const core = await coreWith(5);
    const first = await ask(core, { channel: own, after: 1, limit: 2 });
    expect(contents(first)).toEqual([2, 3]);
    expect(first).toMatchObject({ head: 5, next: 3 });
    const second = await ask(core, { channel: own, after: first.next });
    expect(contents(second)).toEqual([4, 5]);
    expect(second).not.toHaveProperty('next');
  });

  it('before an offset beyond the head begins with the newest message', async () => {
    expect(contents(await ask(await coreWith(2), { channel: 'user', before: 100 }))).toEqual([2, 1]);
  });

  it.each([{}, { before: 1 }, { before: 9 }, { after: 0 }, { after: 9 }])(
    'of a channel without a log, asked with %j, has nothing',
    async (page) => {
      const answer = await ask(await dynamodb.create(), { channel: 'everyone', ...page });
      expect(answer).toEqual({ messages: [], epoch: '', head: 0 });
    },
  );

  it.each(['type', 'type:member', 'everyone', 'topic:orders.eu'])('may be that of %s', async (channel) => {
    const core = await coreWith(1, channel === 'type' ? 'type:member' : channel);
    expect(contents(await ask(core, { channel }))).toEqual([1]);
  });

  it.each(['user:member:2', 'type:admin', 'topic:news', 'topic:orders'])(
    'of %s is forbidden',
    async (channel) => {
      await expect(ask(await dynamodb.create(), { channel })).rejects.toMatchObject({
        code: 'forbidden',
        details: [{ field: 'content.channel' }],
      });
    },
  );

  it('needs no connection', async () => {
    const { handle } = await createHistoryListener(await coreWith(1)).accept({ channel: 'user' });
    const answer = await handle(contextOf({ from: identity, session: undefined }));
    expect(contents(answer as Answer)).toEqual([1]);
  });

  it.each([
    [{}, 'content.channel', 'is required'],
    [{ channel: 'session:c1=' }, 'content.channel', expect.stringContaining('must be user:') as string],
    [{ channel: own, before: 3, after: 1 }, 'content.before', 'must not be given with after'],
    [{ channel: own, before: 0 }, 'content.before', 'must be at least 1'],
    [{ channel: own, after: -1 }, 'content.after', 'must be at least 0'],
    [{ channel: own, limit: 0 }, 'content.limit', 'must be 1 to 100'],
    [{ channel: own, limit: 101 }, 'content.limit', 'must be 1 to 100'],
  ])('with %j is bad_content, and names %s', async (content, field, message) => {
    await expect(ask(await dynamodb.create(), content)).rejects.toMatchObject({
      code: 'bad_content',
      details: [{ field, message }],
    });
  });

  it('keeps its answer within a frame, in both directions, and has a larger message alone', async () => {
    const core = await coreWith(0);
    const lengths = [50_000, 50_000, 50_000, 129_000, 50_000];
    for (const length of lengths) await publish(core, 'x'.repeat(length));
    for (const [direction, expected] of [
      ['before', [[50_000], [129_000], [50_000, 50_000], [50_000]]],
      ['after', [[50_000, 50_000], [50_000], [129_000], [50_000]]],
    ] as const) {
      const pages: number[][] = [];
      for (let next: number | undefined = direction === 'after' ? 0 : 9; next !== undefined;) {
        const answer: Answer = await ask(core, { channel: 'user', [direction]: next });
        const ack = ackFrame('\u0001'.repeat(64), answer);
        expect(Buffer.byteLength(ack)).toBeLessThanOrEqual(maxDownlinkFrameBytes);
        pages.push(contents(answer).map((content) => String(content).length));
        next = answer.next;
      }
      expect(pages).toEqual(expected);
    }
  });
});
