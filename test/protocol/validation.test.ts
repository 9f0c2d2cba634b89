import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { parseWith, Refusal } from '../../protocol/index.ts';
import { refusalOf } from './refusal-of.ts';

describe('a value that a schema refuses', () => {
  it.each<{ schema: z.ZodMiniType; value: unknown; message: string }>([
    { schema: z.string(), value: undefined, message: 'is required' },
    { schema: z.enum(['a', 'b']), value: undefined, message: 'is required' },
    { schema: z.string(), value: 5, message: 'must be a string' },
    { schema: z.number(), value: '5', message: 'must be a number' },
    { schema: z.int(), value: 1.5, message: 'must be a whole number' },
    { schema: z.boolean(), value: 1, message: 'must be true or false' },
    { schema: z.object({}), value: [], message: 'must be an object' },
    { schema: z.record(z.string(), z.string()), value: 5, message: 'must be an object' },
    { schema: z.array(z.string()), value: {}, message: 'must be a list' },
    { schema: z.tuple([z.string()]), value: 5, message: 'must be a list' },
    { schema: z.null(), value: 5, message: 'must be null' },
    { schema: z.literal(null), value: 5, message: 'must be null' },
    { schema: z.date(), value: 5, message: 'must be of type date' },
    { schema: z.enum(['a', 'b']), value: 'c', message: 'must be "a" or "b"' },
    { schema: z.union([z.string(), z.array(z.string())]), value: 5, message: 'must be a string or a list' },
    { schema: z.int().check(z.gte(3)), value: 2, message: 'must be at least 3' },
    { schema: z.int().check(z.lte(3)), value: 4, message: 'must be at most 3' },
    { schema: z.number().check(z.gt(0)), value: 0, message: 'must be more than 0' },
    { schema: z.number().check(z.lt(0)), value: 0, message: 'must be less than 0' },
    { schema: z.string().check(z.minLength(2)), value: 'a', message: 'must have at least 2 characters' },
    { schema: z.array(z.int()).check(z.maxLength(1)), value: [1, 2], message: 'must have at most 1 items' },
    { schema: z.string().check(z.regex(/a/)), value: 'b', message: 'is not valid' },
    { schema: z.string().check(z.regex(/a/, 'must hold an a')), value: 'b', message: 'must hold an a' },
  ])('is refused with the message "$message"', ({ schema, value, message }) => {
    const refusal = refusalOf(() => parseWith(schema, value, 'it', 'bad_content'));
    expect(refusal).toMatchObject({ code: 'bad_content', message: `it: ${message}` });
    expect(refusal.details).toEqual([{ field: 'it', message }]);
  });

  it('is refused with the fault of the alternative that takes its type', () => {
    const schema = z.union([z.string(), z.object({ text: z.string() })]);
    expect(() => parseWith(schema, { text: 5 }, 'content', 'bad_content')).toThrow(
      'content.text: must be a string',
    );
  });
});

describe('a refusal of one field', () => {
  it('names the field in its message and in its details', () => {
    const refusal = Refusal.at('forbidden', 'content.topic', 'is not allowed');
    expect(refusal).toMatchObject({ code: 'forbidden', message: 'content.topic: is not allowed' });
    expect(refusal.details).toEqual([{ field: 'content.topic', message: 'is not allowed' }]);
  });
});
