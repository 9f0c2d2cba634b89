import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../../core/changes/dead-letters.ts';
import type { BusEvent, Messages, TableChange } from '../../../core/changes/define-change.ts';
import {
  createPublishChanges,
  mappingPausesMs,
  maxMessagesPerChange,
  publishPausesMs,
} from '../../../core/changes/publish-changes.ts';
import type { Delivery } from '../../../core/changes/read-change.ts';
import { publisherLostAfterMs } from '../../../core/timing.ts';
import { Refusal } from '../../../protocol/index.ts';
import type { OutgoingMessage } from '../../../publisher/publisher.ts';

interface Options {
  readonly scope?: string;
  readonly mapping?: (change: TableChange | BusEvent) => Messages | Promise<Messages>;
  /** Called before each publish, with its number from 1. */
  readonly fault?: (message: OutgoingMessage, number: number) => Promise<void> | void;
}

const toTopic = ({ id }: { readonly id: string }) => ({ to: 'topic:orders', type: 'changed', content: id });

/** The part under test, with what it published, waited for and gave up. */
function create({ scope = 'scope', mapping = toTopic, fault = () => undefined }: Options = {}) {
  const published: OutgoingMessage[] = [];
  const letters: DeadLetter[] = [];
  const waits: number[] = [];
  let publishes = 0;
  const publishChanges = createPublishChanges({
    scope,
    mapping,
    async publish(message) {
      await fault(message, (publishes += 1));
      published.push(message);
    },
    deadLetters: {
      add(letter) {
        letters.push(letter);
        return Promise.resolve();
      },
    },
    logger: { error: () => undefined },
    clock: {
      wait(ms) {
        waits.push(ms);
        return Promise.resolve();
      },
    },
  });
  return { publishChanges, published, letters, waits };
}

function delivery(id: string, sequence = id): Delivery {
  return {
    itemIdentifier: id,
    sequence,
    read: () => ({ id, time: 1, kind: 'insert', keys: { pk: sequence }, after: { pk: sequence } }),
  };
}

const contentsOf = (messages: readonly OutgoingMessage[]) => messages.map(({ content }) => content);

describe('changes', () => {
  it('of one key are published one after the other, those of others side by side', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { publishChanges, published } = create({
      fault: ({ content }) => (content === 'a1' ? held : undefined),
    });
    const done = publishChanges([delivery('a1', 'a'), delivery('a2', 'a'), delivery('b1', 'b')]);
    await expect.poll(() => contentsOf(published)).toEqual(['b1']);
    release();
    expect(await done).toEqual([]);
    expect(contentsOf(published)).toEqual(['b1', 'a1', 'a2']);
  });

  it('have the same message ids at each delivery, and others in another construct', async () => {
    const idsOf = async (scope: string) => {
      const { publishChanges, published } = create({
        scope,
        mapping: (change) => [toTopic(change), toTopic(change)],
      });
      await publishChanges([delivery('a'), delivery('b')]);
      return published.map(({ messageId }) => messageId);
    };
    const [first, second, other] = [await idsOf('one'), await idsOf('one'), await idsOf('two')];
    expect(second).toEqual(first);
    expect(new Set([...first, ...other]).size).toBe(8);
    expect(first).toEqual(
      Array.from({ length: 4 }, () => expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown),
    );
  });

  it('keep the message id that the mapping gives', async () => {
    const messageId = '00000000-0000-4000-8000-000000000001';
    const { publishChanges, published } = create({
      mapping: (change) => ({ ...toTopic(change), messageId }),
    });
    await publishChanges([delivery('a')]);
    expect(published).toEqual([{ ...toTopic({ id: 'a' }), messageId }]);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['an empty list', []],
  ])('for which the mapping returns %s publish nothing', async (_what, messages) => {
    const { publishChanges, published, letters } = create({ mapping: () => messages });
    expect(await publishChanges([delivery('a')])).toEqual([]);
    expect([published, letters]).toEqual([[], []]);
  });

  it('are published as the JSON that receivers get', async () => {
    const { publishChanges, published } = create({
      mapping: (change) => ({ ...toTopic(change), content: { at: new Date(0), none: undefined } }),
    });
    await publishChanges([delivery('a')]);
    expect(contentsOf(published)).toEqual([{ at: '1970-01-01T00:00:00.000Z' }]);
  });
});

describe('a mapping', () => {
  it('that throws is called again after pauses; then its change is a dead letter, and the next one of its key comes', async () => {
    const fault = new Error('no table');
    let calls = 0;
    const { publishChanges, published, letters, waits } = create({
      mapping(change) {
        if (change.id !== 'a1') return toTopic(change);
        calls += 1;
        throw fault;
      },
    });
    expect(await publishChanges([delivery('a1', 'a'), delivery('a2', 'a')])).toEqual([]);
    expect([calls, waits]).toEqual([3, mappingPausesMs]);
    expect(letters).toMatchObject([{ itemIdentifier: 'a1', cause: fault, change: { id: 'a1' } }]);
    expect(contentsOf(published)).toEqual(['a2']);
  });

  it('that throws a Refusal is not called again', async () => {
    const refusal = new Refusal('not_found', 'There is no such order.');
    const { publishChanges, letters, waits } = create({
      mapping() {
        throw refusal;
      },
    });
    await publishChanges([delivery('a')]);
    expect(waits).toEqual([]);
    expect(letters).toMatchObject([{ cause: refusal }]);
  });

  it.each<[string, unknown, string]>([
    ['a wrong target', { to: 'orders', type: 'x', content: 1 }, 'bad_request'],
    ['an unknown field', { to: 'everyone', type: 'x', content: 1, durble: true }, 'bad_request'],
    ['text', 'everyone', 'bad_request'],
    [
      'too many messages',
      Array.from({ length: maxMessagesPerChange + 1 }, () => toTopic({ id: 'a' })),
      'bad_request',
    ],
    ['too much', { to: 'everyone', type: 'x', content: 'x'.repeat(600_000) }, 'too_large'],
    [
      'a good and a bad message',
      [toTopic({ id: 'a' }), { to: 'orders', type: 'x', content: 1 }],
      'bad_request',
    ],
  ])('that returns %s has nothing published, and makes a dead letter at once', async (_what, given, code) => {
    const { publishChanges, published, letters, waits } = create({ mapping: () => given as Messages });
    expect(await publishChanges([delivery('a')])).toEqual([]);
    expect([published, waits]).toEqual([[], []]);
    expect(letters).toMatchObject([{ cause: { code } }]);
  });
});

it('a mapping that throws holds up others for five seconds, as docs/data-changes.md says', () => {
  expect(mappingPausesMs.reduce((sum, ms) => sum + ms, 0)).toBe(5000);
});

describe('a publish', () => {
  it('that fails is tried again after pauses, in the order of its key', async () => {
    const { publishChanges, published, waits } = create({
      fault(_message, number) {
        if (number <= 2) throw new Error('Service Unavailable');
      },
    });
    expect(await publishChanges([delivery('a1', 'a'), delivery('a2', 'a')])).toEqual([]);
    expect(contentsOf(published)).toEqual(['a1', 'a2']);
    expect(waits).toEqual(publishPausesMs.slice(0, 2));
  });

  it('is tried for longer than a killed publisher keeps its messageId', () => {
    expect(publishPausesMs.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(publisherLostAfterMs);
  });

  it('that goes on failing has its change and the later ones of its key delivered again', async () => {
    const { publishChanges, published, letters } = create({
      fault({ content }) {
        if (content === 'a2') throw new Refusal('rate_limited', 'Too much.');
      },
    });
    const [a1, a2, a3, b1] = [
      delivery('a1', 'a'),
      delivery('a2', 'a'),
      delivery('a3', 'a'),
      delivery('b1', 'b'),
    ];
    expect(await publishChanges([a1, a2, b1, a3])).toEqual([a2, a3]);
    expect(contentsOf(published).sort()).toEqual(['a1', 'b1']);
    expect(letters).toEqual([]);
  });

  it.each(['bad_request', 'too_large', 'conflict'] as const)(
    'that is refused as %s is not tried again: its change is a dead letter',
    async (code) => {
      const { publishChanges, letters, waits } = create({
        fault() {
          throw new Refusal(code, 'No.');
        },
      });
      expect(await publishChanges([delivery('a')])).toEqual([]);
      expect(waits).toEqual([]);
      expect(letters).toMatchObject([{ itemIdentifier: 'a', cause: { code }, change: { id: 'a' } }]);
    },
  );
});

it('what is no change is a dead letter', async () => {
  const { publishChanges, letters } = create();
  const read = () => {
    throw new Error('The event is not JSON.');
  };
  expect(await publishChanges([{ itemIdentifier: 'a', sequence: 'a', read }])).toEqual([]);
  expect(letters).toMatchObject([{ itemIdentifier: 'a', change: undefined }]);
});
