import { describe, expect, it } from 'vitest';
import type { Frame } from '../../client/index.ts';
import { compare, missedBy } from '../../soak/compare.ts';
import type { ChannelLog } from '../../soak/logs.ts';
import type { Published } from '../../soak/messages.ts';

const ada = 'user:member:ada';
const bob = 'user:member:bob';

type Stored = Frame & { readonly channel: string; readonly offset: number; readonly messageId: string };

function frame(channel: string, offset: number): Stored {
  const content = { serial: offset, to: channel };
  return { type: 'soak', channel, offset, epoch: 'e', messageId: `${channel}/${offset}`, content };
}

const [first, second, third] = [frame(ada, 1), frame(ada, 2), frame(ada, 3)];
const toAll = frame('everyone', 1);
const toBob = frame(bob, 1);
const { channel: _channel, ...withoutChannel } = third;
const { offset: _offset, ...withoutOffset } = third;
const all = [first, second, third, toAll, toBob];

interface Run {
  readonly published: readonly Published[];
  readonly stored: readonly Stored[];
  readonly given: readonly Frame[];
  readonly lostEvents: readonly string[];
}

/** A run without findings, from the view of Ada. */
const sound: Run = {
  published: all.map(({ channel, offset, messageId, content }) => ({
    channel,
    offset,
    messageId,
    content,
  })),
  stored: all,
  given: [first, second, toAll, third],
  lostEvents: [],
};

function logOf(channel: string, stored: readonly Stored[]): ChannelLog {
  const own = stored.filter((each) => each.channel === channel);
  return { channel, messages: new Map(own.map((each) => [each.offset, each])), holes: 0 };
}

function compareRun(changes: Partial<Run>) {
  const { published, stored, given, lostEvents } = { ...sound, ...changes };
  const logs = [ada, bob, 'everyone'].map((channel) => logOf(channel, stored));
  const subscribers = [{ name: 'ada', channels: [ada, 'everyone'], given, lostEvents }];
  return compare({ published, logs, subscribers });
}

/** The counts of findings that are not 0, by kind. */
function findingsOf(changes: Partial<Run>) {
  const { findings } = compareRun(changes);
  return Object.fromEntries(Object.entries(findings).filter(([, count]) => count > 0));
}

describe('the comparison of a run', () => {
  it('finds nothing if every subscriber got its messages once and in order', () => {
    expect(findingsOf({})).toEqual({});
    expect(compareRun({}).examples).toEqual([]);
  });

  it('finds nothing if a publish without an answer stored its message', () => {
    const published = sound.published.map(({ offset: _, ...unanswered }) => unanswered);
    expect(findingsOf({ published })).toEqual({});
  });

  it.each<[string, Partial<Run>, Record<string, number>]>([
    ['a message that a subscriber never got', { given: [first, toAll, third] }, { lost: 1 }],
    ['a message that came twice', { given: [first, second, second, toAll, third] }, { doubled: 1 }],
    ['a message that came after a later one', { given: [first, third, second, toAll] }, { outOfOrder: 1 }],
    ['a gap that the client reported', { lostEvents: ['from 1 to 3'] }, { lostEvents: 1 }],
    ["another user's message", { given: [...sound.given, toBob] }, { stray: 1 }],
    ['a frame without a channel', { given: [...sound.given, withoutChannel] }, { stray: 1 }],
    ['a frame of another type', { given: [...sound.given, { ...third, type: 'notice' }] }, { stray: 1 }],
    ['a frame without an offset', { given: [...sound.given, withoutOffset] }, { stray: 1 }],
    [
      'another content than was published',
      { given: [first, second, toAll, { ...third, content: { serial: 9, to: ada } }] },
      { altered: 1 },
    ],
    [
      "another user's content under the user's own channel and messageId",
      { given: [first, second, toAll, { ...third, content: toBob.content }] },
      { altered: 1 },
    ],
    [
      'another messageId than the log holds',
      { given: [first, second, toAll, { ...third, messageId: second.messageId }] },
      { altered: 1 },
    ],
    [
      "another user's message under the user's own channel",
      { given: [first, second, toAll, { ...toBob, channel: ada, offset: 3 }] },
      { altered: 1 },
    ],
    [
      'a message at an offset that the log does not hold',
      { given: [...sound.given, { ...third, offset: 4 }] },
      { altered: 1 },
    ],
    [
      'an answer whose offset holds nothing',
      { stored: all.filter((each) => each !== third), given: [first, second, toAll] },
      { notStored: 1 },
    ],
    [
      'an answer whose offset holds another message',
      {
        published: sound.published.map((each) =>
          each.messageId === third.messageId ? { ...each, offset: 2 } : each,
        ),
      },
      { notStored: 1 },
    ],
    [
      'a message that a log holds a second time',
      { stored: [...all, { ...third, offset: 4 }], given: [...sound.given, { ...third, offset: 4 }] },
      { storedTwice: 1 },
    ],
    [
      "a message that another channel's log holds too",
      { stored: [...all, { ...third, channel: bob, offset: 2 }] },
      { storedTwice: 1, storedAltered: 1 },
    ],
    [
      'a log that holds another content than was published',
      { stored: all.map((each) => (each === toBob ? { ...each, content: 'CORRUPTED' } : each)) },
      { storedAltered: 1 },
    ],
    [
      'a log that holds another type than was published',
      { stored: all.map((each) => (each === toBob ? { ...each, type: 'notice' } : each)) },
      { storedAltered: 1 },
    ],
    [
      'a log that holds a message that nobody published',
      { stored: [...all, frame(bob, 2)] },
      { storedAltered: 1 },
    ],
  ])('finds %s', (_what, changes, findings) => {
    expect(findingsOf(changes)).toEqual(findings);
  });

  it('finds a message in a log that names another channel', () => {
    const log = logOf(ada, sound.stored);
    const misplaced = new Map([...log.messages, [3, { ...third, channel: bob }]]);
    const logs = [{ ...log, messages: misplaced }, logOf(bob, all), logOf('everyone', all)];
    const { findings } = compare({ published: sound.published, logs, subscribers: [] });
    expect(findings.storedAltered).toBe(1);
  });

  it('counts every finding, and lists three examples of each kind', () => {
    const { findings, examples } = compareRun({ given: [toBob, toBob, toBob, toBob] });
    expect(findings).toMatchObject({ stray: 4, lost: 4 });
    expect(examples.map((example) => example.split(':')[0])).toEqual([
      ...['stray', 'stray', 'stray'],
      ...['lost', 'lost', 'lost'],
    ]);
    expect(examples[0]).toContain(`ada, {"type":"soak","channel":"${bob}"`);
  });
});

describe('the missed messages of a subscriber', () => {
  it('are those in the logs of its channels that it has not got', () => {
    const subscriber = { name: 'ada', channels: [ada, 'everyone'], given: [first, toAll], lostEvents: [] };
    const logs = [ada, bob, 'everyone'].map((channel) => logOf(channel, all));
    expect(missedBy(subscriber, logs)).toEqual([`${ada} 2`, `${ada} 3`]);
    expect(missedBy({ ...subscriber, given: sound.given }, logs)).toEqual([]);
  });
});
