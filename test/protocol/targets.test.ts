import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget, Refusal, type Target } from '../../protocol/index.ts';
import { readingOf, refusalOf } from './refusal-of.ts';

describe('a target', () => {
  it.each<{ text: string; target: Target }>([
    { text: 'session:R1kmxc2VNjMCFIA=', target: { kind: 'session', connectionId: 'R1kmxc2VNjMCFIA=' } },
    { text: 'user:member:42', target: { kind: 'user', userType: 'member', userId: '42' } },
    { text: 'user:member:a@b.c', target: { kind: 'user', userType: 'member', userId: 'a@b.c' } },
    { text: 'type:admin', target: { kind: 'type', userType: 'admin' } },
    { text: 'topic:orders/eu', target: { kind: 'topic', topic: 'orders/eu' } },
    { text: 'everyone', target: { kind: 'everyone' } },
  ])('$text', ({ text, target }) => {
    expect(parseTarget(text, 'to')).toEqual(target);
    expect(textOf(target)).toBe(text);
  });

  it.each([
    '',
    ':',
    'user',
    'user:member',
    'user:member:42:1',
    'type',
    'type:a:b',
    'everyone:',
    'Everyone',
    'users:a:b',
    ' everyone',
    'toString',
    '__proto__',
  ])('is refused if it is %j, and the refusal shows all forms', (text) => {
    const { message } = refusalOf(() => parseTarget(text, 'to[3]'));
    expect(message).toMatch(/^to\[3\]: must be session:.*user:.*type:.*topic:.* or everyone, got /);
  });

  it.each([
    { text: 'session:', limit: 'must be a connection id, 1 to 128 of' },
    { text: 'user::42', limit: 'must be 1 to 128 of' },
    { text: 'user:member:', limit: 'must be 1 to 128 of' },
    { text: 'user:member:4#2', limit: 'must be 1 to 128 of' },
    { text: `type:${'t'.repeat(129)}`, limit: 'must be 1 to 128 of' },
    { text: 'topic:', limit: 'must be 1 to 256 of' },
    { text: `topic:${'t'.repeat(257)}`, limit: 'must be 1 to 256 of' },
    { text: 'topic:a b', limit: 'must be 1 to 256 of' },
  ])('is refused if it is $text, and the refusal names what is allowed', ({ text, limit }) => {
    const refusal = refusalOf(() => parseTarget(text, 'to'));
    expect(refusal.code).toBe('bad_request');
    expect(refusal.message).toContain(`to: ${limit}`);
  });

  it('that is very long is cut in the refusal', () => {
    expect(refusalOf(() => parseTarget('x'.repeat(100_000), 'to')).message.length).toBeLessThan(300);
  });

  it('is read or refused, whatever the text, and is formatted as it was read', () => {
    const part = fc.string({ maxLength: 8 });
    const kind = fc.constantFrom('session', 'user', 'type', 'topic', 'everyone', 'nobody');
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(kind, fc.array(part, { maxLength: 3 })).map(([first, rest]) => [first, ...rest].join(':')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const reading = readingOf(() => parseTarget(text, 'to'));
        if (!(reading instanceof Refusal)) return textOf(reading) === text;
        return reading.code === 'bad_request' && reading.message.startsWith('to: ');
      }),
    );
  });
});

function textOf(target: Target): string {
  switch (target.kind) {
    case 'session':
      return `session:${target.connectionId}`;
    case 'user':
      return `user:${target.userType}:${target.userId}`;
    case 'type':
      return `type:${target.userType}`;
    case 'topic':
      return `topic:${target.topic}`;
    case 'everyone':
      return 'everyone';
  }
}
