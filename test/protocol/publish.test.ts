import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxExclusions, maxTargets, readPublishRequest, Refusal, serverTypes } from '../../protocol/index.ts';
import { readingOf, refusalOf } from './refusal-of.ts';

const body = { to: 'user:member:42', type: 'notice-push', content: { title: 'hi' } };

describe('a publish body', () => {
  it('is read with its defaults filled in', () => {
    expect(readPublishRequest(body)).toEqual({
      to: [{ kind: 'user', userType: 'member', userId: '42' }],
      type: 'notice-push',
      content: { title: 'hi' },
      tenant: 'default',
      exclude: [],
    });
  });

  it.each([null, 0, '', false, []].map((content) => ({ content })))('may carry $content', ({ content }) => {
    expect(readPublishRequest({ ...body, content }).content).toEqual(content);
  });

  it.each([
    { what: 'the most targets', change: { to: Array<string>(maxTargets).fill('everyone') } },
    { what: 'the longest type', change: { type: 'x'.repeat(128) } },
    { what: 'the most exclusions', change: { exclude: Array<string>(maxExclusions).fill('c1=') } },
    { what: 'the longest tenant', change: { tenant: 't'.repeat(128) } },
    { what: 'a messageId', change: { messageId: randomUUID() } },
    { what: 'a report of counts', change: { report: 'counts' } },
    { what: 'a report of recipients', change: { report: 'recipients' } },
  ])('may have $what', ({ change }) => {
    expect(readPublishRequest({ ...body, ...change })).toMatchObject({
      type: 'type' in change ? change.type : body.type,
    });
  });

  it.each([
    { what: 'no target', change: { to: undefined }, message: /^to: is required$/ },
    { what: 'a number as target', change: { to: 5 }, message: /^to: must be a string or a list$/ },
    { what: 'an empty list of targets', change: { to: [] }, message: /^to: must hold 1 to 100 targets$/ },
    {
      what: 'too many targets',
      change: { to: Array<string>(maxTargets + 1).fill('everyone') },
      message: /^to: must hold 1 to 100 targets$/,
    },
    {
      what: 'a list with something else',
      change: { to: ['everyone', 5] },
      message: /^to\[1\]: must be a string$/,
    },
    {
      what: 'a list with an unknown target',
      change: { to: ['everyone', 'nobody'] },
      message: /^to\[1\]: must be .*"nobody"/,
    },
    { what: 'no type', change: { type: undefined }, message: /^type: is required$/ },
    { what: 'an empty type', change: { type: '' }, message: /^type: must be 1 to 128 characters/ },
    {
      what: 'a long type',
      change: { type: 'x'.repeat(129) },
      message: /^type: must be 1 to 128 characters$/,
    },
    { what: 'no content', change: { content: undefined }, message: /^content: is required$/ },
    { what: 'a tenant with a #', change: { tenant: 'a#b' }, message: /^tenant: must be 1 to 128 of/ },
    {
      what: 'a messageId that is no UUID',
      change: { messageId: '42' },
      message: /^messageId: must be a UUID$/,
    },
    {
      what: 'too many exclusions',
      change: { exclude: Array<string>(maxExclusions + 1).fill('c1=') },
      message: /^exclude: must hold at most 100 connection ids$/,
    },
    {
      what: 'a bad exclusion',
      change: { exclude: ['c1=', '#'] },
      message: /^exclude\[1\]: must be a connection id/,
    },
    {
      what: 'an unknown report',
      change: { report: 'all' },
      message: /^report: must be "counts" or "recipients"$/,
    },
    { what: 'an unknown field', change: { colour: 'red' }, message: /^colour: is not a known field$/ },
    { what: 'a from', change: { from: { userId: '0' } }, message: /^from: is not a known field$/ },
  ])('with $what is refused, naming the field and what is allowed', ({ change, message }) => {
    const refusal = refusalOf(() => readPublishRequest(JSON.parse(JSON.stringify({ ...body, ...change }))));
    expect(refusal.code).toBe('bad_request');
    expect(refusal.message).toMatch(message);
    expect(refusal.details).toHaveLength(1);
  });

  it.each(serverTypes)('cannot have the type of a frame that only the server sends: %s', (type) => {
    expect(refusalOf(() => readPublishRequest({ ...body, type })).message).toMatch(/^type: must not be ack/);
  });

  it.each([undefined, null, 5, 'text', []].map((value) => ({ value })))(
    'is refused if it is $value',
    ({ value }) => {
      expect(refusalOf(() => readPublishRequest(value)).message).toMatch(/^body: /);
    },
  );

  it('with several faults is refused with all of them, each with its field', () => {
    const refusal = refusalOf(() => readPublishRequest({ to: '', colour: 'red', tenant: '' }));
    expect(refusal.details.map(({ field }) => field).sort()).toEqual(['colour', 'content', 'tenant', 'type']);
  });

  it('with a thousand faults is refused with ten, so that the answer stays small', () => {
    const strange = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`${String(index)}!`.repeat(99), 1]),
    );
    const refusal = refusalOf(() => readPublishRequest({ ...body, ...strange }));
    expect(refusal.details).toHaveLength(10);
    expect(refusal.message.length).toBeLessThan(2_000);
  });

  it.each([
    { key: '', field: '[""]' },
    { key: 'a b', field: '["a b"]' },
    { key: '__proto__', field: '__proto__' },
  ])('with an unusual unknown field is refused with its name in quotes: $field', ({ key, field }) => {
    const value: unknown = JSON.parse(`{"to":"everyone","type":"x","content":1,${JSON.stringify(key)}:1}`);
    expect(refusalOf(() => readPublishRequest(value)).details).toEqual([
      { field, message: 'is not a known field' },
    ]);
  });

  it('may have content of 500 levels, and no more', () => {
    const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`) as unknown;
    const body = (levels: number) => ({ to: 'everyone', type: 'x', content: nested(levels) });
    expect(() => readPublishRequest(body(500))).not.toThrow();
    expect(refusalOf(() => readPublishRequest(body(501)))).toMatchObject({
      code: 'bad_request',
      message: 'content: must be nested at most 500 levels deep',
    });
    const empty = JSON.parse(`${'['.repeat(501)}${']'.repeat(501)}`) as unknown;
    expect(() => readPublishRequest({ ...body(0), content: empty })).toThrow('500 levels');
  });

  it.each(['6ba7b810-9dad-11d1-c0b4-00c04fd430c8', '00000000-0000-0000-0000-000000000001'])(
    'may have a messageId that is a UUID of any variant: %s',
    (messageId) => {
      expect(readPublishRequest({ to: 'everyone', type: 'x', content: 1, messageId })).toMatchObject({
        messageId,
      });
    },
  );

  it('has its messageId in lower case, because the case of a UUID means nothing', () => {
    const messageId = randomUUID();
    expect(readPublishRequest({ ...body, messageId: messageId.toUpperCase() }).messageId).toBe(messageId);
  });

  it('is read or refused, whatever it is, without any other exception', () => {
    const field = (usual: unknown) => fc.oneof(fc.constant(usual), fc.jsonValue());
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          to: fc.oneof(field(body.to), fc.array(fc.string(), { maxLength: 3 })),
          type: field('x'),
          content: fc.jsonValue(),
          tenant: field('default'),
          messageId: field(randomUUID()),
          exclude: field([]),
          report: field('counts'),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(bodies, (value) => {
        const reading = readingOf(() => readPublishRequest(value));
        if (!(reading instanceof Refusal)) return reading.to.length > 0 && reading.to.length <= maxTargets;
        return (
          reading.code === 'bad_request' &&
          reading.details.every(({ field: at, message }) => at !== '' && message !== '')
        );
      }),
    );
  });
});

describe('a publish body with bare text', () => {
  const bare = { to: 'user:member:42', text: 'hello' };

  it('is read with its defaults, and has no type and no content', () => {
    expect(readPublishRequest(bare)).toEqual({
      to: [{ kind: 'user', userType: 'member', userId: '42' }],
      text: 'hello',
      tenant: 'default',
      exclude: [],
    });
  });

  it.each([
    [{ type: 'n' }, 'type: must be left out with text'],
    [{ content: 1 }, 'content: must be left out with text'],
    [{ durable: true }, 'durable: must be left out with text, which is not kept'],
    [{ ttlSeconds: 5 }, 'ttlSeconds: must be left out with text, which is not kept'],
    [{ text: '' }, 'text: must not be empty'],
    [{ text: 5 }, 'text: must be a string'],
    [{ extra: 1 }, 'extra: is not a known field'],
  ])('is refused with %j', (change, message) => {
    expect(refusalOf(() => readPublishRequest({ ...bare, ...change }))).toMatchObject({
      code: 'bad_request',
      message,
    });
  });

  it('may say that it is not durable', () => {
    expect(readPublishRequest({ ...bare, durable: false })).toMatchObject({ text: 'hello' });
  });
});
