import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { callListener, type ListenerCall } from '../../../core/testing.ts';
import { defineListener } from '../../../core/dispatch/define-listener.ts';

interface Order {
  items: { sku: string }[];
}

/** A schema by hand that answers later, such as one that asks a database. */
const handMade: StandardSchemaV1<unknown, Order> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    async validate(value) {
      await Promise.resolve();
      const found = z.object({ items: z.array(z.unknown()) }).safeParse(value);
      if (!found.success) return { issues: [{ message: 'no order' }] };
      const wrong = found.data.items.findIndex((item) => !isItem(item));
      if (wrong < 0) return { value: { items: found.data.items.filter(isItem) } };
      return { issues: [{ message: 'no item', path: [{ key: 'items' }, { key: wrong }, { key: 'sku' }] }] };
    },
  },
};

function isItem(item: unknown): item is { sku: string } {
  return typeof item === 'object' && item !== null && 'sku' in item && typeof item.sku === 'string';
}

const schemas: readonly [string, StandardSchemaV1<unknown, Order>][] = [
  ['zod', z.object({ items: z.array(z.object({ sku: z.string() })) })],
  ['valibot', v.object({ items: v.array(v.object({ sku: v.string() })) })],
  ['arktype', type({ items: type({ sku: 'string' }).array() })],
  ['a library of its own, asynchronous', handMade],
];

function order(schema: StandardSchemaV1<unknown, Order>, content: unknown): Promise<ListenerCall> {
  const listener = defineListener({
    type: 'order-create',
    content: schema,
    handle: ({ content: { items } }) => items.map(({ sku }) => sku),
  });
  return callListener([listener], { type: 'order-create', content });
}

describe.each(schemas)('a schema of %s', (_library, schema) => {
  it('gives the listener what it returns', async () => {
    expect(await order(schema, { items: [{ sku: 'a' }, { sku: 'b' }] })).toMatchObject({ ack: ['a', 'b'] });
  });

  it('names the field that it refuses', async () => {
    const items = [{ sku: 'a' }, { sku: 'b' }, { sku: 'c' }, { sku: 4 }];
    const { ack, error } = await order(schema, { items });
    expect(ack).toBeUndefined();
    expect(error).toMatchObject({ code: 'bad_content', details: [{ field: 'content.items[3].sku' }] });
    expect(error?.message).toMatch(/^content\.items\[3\]\.sku: /);
  });

  it('names the content itself if it refuses all of it', async () => {
    expect((await order(schema, 7)).error).toMatchObject({ details: [{ field: 'content' }] });
  });

  it('is tried again with the JSON in a string, and the ack is a string too', async () => {
    expect((await order(schema, '{"items":[{"sku":"a"}]}')).ack).toBe('["a"]');
    expect((await order(schema, '{"items":[{"sku":4}]}')).error).toMatchObject({
      details: [{ field: 'content.items[0].sku' }],
    });
  });
});

describe('content that is no schema', () => {
  it('is refused at once, with the type of the listener', () => {
    const content = JSON.parse('{"sku":"string"}') as StandardSchemaV1;
    expect(() => defineListener({ type: 'order-create', content, handle: () => undefined })).toThrow(
      new TypeError(
        'The content of the listener "order-create" must be a schema as in https://standardschema.dev.',
      ),
    );
  });
});

describe('the text of a refusal', () => {
  it('names every fault', async () => {
    const content = z.object({ sku: z.string('is no text'), count: z.number('is no number') });
    const listener = defineListener({ type: 'order', content, handle: () => undefined });
    const { error } = await callListener([listener], { type: 'order', content: {} });
    expect(error?.message).toBe('content.sku: is no text; content.count: is no number');
  });

  it('holds ten faults of at most 300 characters each, so that it fits into a frame', async () => {
    const long = z.array(z.string('x'.repeat(1_000)));
    const listener = defineListener({ type: 'long', content: long, handle: () => undefined });
    const { error } = await callListener([listener], { type: 'long', content: Array(50).fill(1) });
    expect(error?.details).toHaveLength(10);
    expect(error?.details[9]).toEqual({ field: 'content[9]', message: 'x'.repeat(300) });
  });
});

describe('an error of a schema', () => {
  it('is a fault of the server', async () => {
    const content: StandardSchemaV1<unknown, Order> = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('no database')) },
    };
    await expect(order(content, {})).rejects.toThrow('no database');
  });
});
