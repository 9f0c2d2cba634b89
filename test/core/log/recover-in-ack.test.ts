import { QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { listMessages } from '../../../core/log/list.ts';
import { ackFrame, maxDownlinkFrameBytes, maxDurableFrameBytes } from '../../../protocol/index.ts';
import { type Core, useDynamoDB } from '../core-under-test.ts';
import { throttled } from '../recording-connections.ts';
import { answerTo, own, publish, recover } from './recover-under-test.ts';

const dynamodb = useDynamoDB();
const start = { epoch: '', offset: 0 };
const longTopic = `orders.${'t'.repeat(249)}`;
/** 64 characters that JSON writes in six bytes each. */
const longestId = '\u0001'.repeat(64);

interface Answer {
  readonly epoch: string;
  readonly offset: number;
  readonly more?: true;
  readonly skipped?: readonly number[];
  readonly messages?: readonly { readonly offset: number; readonly content: unknown }[];
}

/** Recovers until there is no more. Checks that each ack fits into a frame. Resolves to the answers. */
async function recoverAll(core: Core, channel: string, isText = false): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from: object = start; ;) {
    const content = { channels: [{ channel, ...from }], messagesIn: 'ack' };
    const answer = await answerTo(core, content, isText);
    expect(bytesOf(answer, isText)).toBeLessThanOrEqual(maxDownlinkFrameBytes);
    const [entry] = answer.channels as unknown as [Answer];
    answers.push(entry);
    if (!entry.more) return answers;
    from = { epoch: entry.epoch, offset: entry.offset };
  }
}

function bytesOf(content: unknown, isText: boolean): number {
  return Buffer.byteLength(ackFrame(longestId, isText ? JSON.stringify(content) : content));
}

/** The limit of a durable frame counts 12 digits for its offset. */
const offsetDigits = 12;

/** A text with which the frame on this channel is as large as a durable one may be. */
async function largestOn(core: Core, channel: string): Promise<string> {
  await publish(core, '', channel);
  const log = await core.logs.open({ tenant: 'default', channel });
  const [frame] = (await log.page(0, 1)).messages;
  return 'x'.repeat(maxDurableFrameBytes - Buffer.byteLength(frame?.frame ?? '') - offsetDigits + 1);
}

describe('recover with the messages in the ack', () => {
  it('carries the frames as they were published', async () => {
    const core = await dynamodb.create();
    for (const content of [1, { a: ['é', '"'] }, null]) await publish(core, content);
    const [{ messages }] = (await recoverAll(core, own)) as [Answer];
    const log = await core.logs.open({ tenant: 'default', channel: own });
    const page = await listMessages(log, { after: 0 }, { limit: 10, maxBytes: 10_000 });
    expect(messages).toEqual(page.messages);
  });

  it.each([
    ['an object', false],
    ['JSON text, whose escapes count', true],
  ])('fills the frame and no more, if its content is %s', async (_what, isText) => {
    const core = await dynamodb.create();
    const contents = Array.from({ length: 120 }, () => `"é\\`.repeat(700));
    for (const content of contents) await publish(core, content);
    const answers = await recoverAll(core, own, isText);
    const messages = answers.flatMap((answer) => answer.messages ?? []);
    expect(messages.map(({ content }) => content)).toEqual(contents);
    expect(messages.map(({ offset }) => offset)).toEqual(contents.map((_, index) => index + 1));
    answers.slice(0, -1).forEach((answer, index) => {
      const next = answers[index + 1]?.messages?.[0];
      const withNext = { channels: [{ ...answer, messages: [...(answer.messages ?? []), next] }] };
      // The difference is room for the longest id and offset, and for skipped offsets.
      expect(bytesOf(withNext, isText)).toBeGreaterThan(maxDownlinkFrameBytes - 200);
    });
    expect(core.connections.calls).toEqual([]);
  });

  it('holds the largest durable message, whatever the names and the id are', async () => {
    const core = await dynamodb.create();
    const channel = `topic:${longTopic}`;
    await publish(core, await largestOn(core, channel), channel);
    const answers = await recoverAll(core, channel);
    expect(answers.map(({ messages }) => messages?.length)).toEqual([1, 1]);
    expect(core.connections.calls).toEqual([]);
  });

  it('goes from channel to channel until the frame is full, and says of each that there is more', async () => {
    const core = await dynamodb.create();
    for (let count = 0; count < 2; count += 1) await publish(core, 'x'.repeat(60_000));
    for (const to of ['type:member', 'everyone']) await publish(core, 'x'.repeat(60_000), to);
    const channels = ['user', 'type', 'everyone'].map((channel) => ({ channel, epoch: '' }));
    const answer = await answerTo(core, { channels, messagesIn: 'ack' });
    expect(answer.channels).toMatchObject([
      { offset: 2, messages: [{ offset: 1 }, { offset: 2 }] },
      { offset: 0, more: true, recovered: true },
      { offset: 0, more: true, recovered: true },
    ]);
    expect(answer.channels[1]).not.toHaveProperty('messages');
  });

  it('leaves room for the offsets that have no message', async () => {
    const core = await dynamodb.create();
    const log = { tenant: 'default', channel: own };
    const entry = { messageId: 'm', ttlSeconds: 60, frameAt: () => '' };
    const remember = () => Promise.reject(new Error('killed'));
    for (let message = 0; message < 40; message += 1) {
      await publish(core, 'x'.repeat(4_000));
      for (let hole = 0; hole < 10; hole += 1)
        await expect(core.logs.append(log, entry, { remember })).rejects.toThrow('killed');
    }
    const answers = await recoverAll(core, own);
    expect(answers.flatMap(({ messages = [] }) => messages)).toHaveLength(40);
    expect(answers.flatMap(({ skipped = [] }) => skipped)).toHaveLength(400);
  });

  it('needs no lease, no debt and no post, so that any number may run at once', async () => {
    const core = await dynamodb.create();
    for (let offset = 1; offset <= 300; offset += 1) await publish(core, offset);
    const send = vi.spyOn(core.db, 'send').mockClear();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => recover(core, [{ channel: own, ...start }], 'ack')),
    );
    expect(answers.map(({ sent }) => sent.length)).toEqual([300, 300, 300, 300, 300]);
    const commands = send.mock.calls.map(([command]) => command);
    expect(commands.filter((command) => command instanceof UpdateCommand)).toEqual([]);
    // The first read shows how many rows fit.
    expect(commands.filter((command) => command instanceof QueryCommand)).toHaveLength(5 * 2);
  });

  it('refuses any other place for them', async () => {
    const core = await dynamodb.create();
    const content = { channels: [], messagesIn: 'posts' };
    await expect(answerTo(core, content)).rejects.toMatchObject({
      code: 'bad_content',
      message: 'content.messagesIn: must be "ack"',
    });
  });
});

describe('a message that does not fit into an ack alone', () => {
  /** So many channels that their positions leave less room than the largest message needs. */
  const others = Array.from({ length: 20 }, (_, index) => ({ channel: `topic:orders.${index}`, ...start }));

  it('beside the positions of other channels is posted, and the next ack goes on', async () => {
    const core = await dynamodb.create();
    await publish(core, await largestOn(core, own));
    await publish(core, 'last');
    const { epoch } = await core.logs.open({ tenant: 'default', channel: own });
    const channels = [{ channel: own, epoch, offset: 1 }, ...others];
    const answer = await answerTo(core, { channels, messagesIn: 'ack' });
    expect(core.connections.framesTo('c1=')).toMatchObject([{ offset: 2 }]);
    expect(answer.channels[0]).toEqual({ channel: own, epoch, offset: 2, recovered: true, more: true });
    const next = await answerTo(core, { channels: [{ channel: own, epoch, offset: 2 }], messagesIn: 'ack' });
    expect(next.channels).toMatchObject([{ offset: 3, messages: [{ content: 'last' }] }]);
    expect(core.connections.calls).toHaveLength(1);
  });

  it('because of its escapes is posted too', async () => {
    const core = await dynamodb.create();
    await publish(core, '"'.repeat(50_000));
    const answers = await recoverAll(core, own, true);
    expect(answers).toMatchObject([{ offset: 1, recovered: true }]);
    expect(core.connections.framesTo('c1=')).toMatchObject([{ offset: 1, content: '"'.repeat(50_000) }]);
  });

  it('waits for the next ack if this one holds messages already', async () => {
    const core = await dynamodb.create();
    await publish(core, 'x'.repeat(2_000));
    await publish(core, 'x'.repeat(129_000));
    const { messages, more } = (await recoverAll(core, own))[0] ?? {};
    expect([messages?.length, more]).toEqual([1, true]);
    expect(core.connections.calls).toEqual([]);
  });

  it('is not claimed if the connection does not take it', async () => {
    const core = await dynamodb.create({ post: () => throttled });
    await publish(core, '"'.repeat(50_000));
    const content = { channels: [{ channel: own, ...start }], messagesIn: 'ack' };
    await expect(answerTo(core, content, true)).rejects.toMatchObject({ code: 'rate_limited' });
  });
});
