import { describe, expect, it } from 'vitest';
import { useCloud } from '../functions-under-test.ts';
import { load } from './api-under-test.ts';

useCloud();

describe('GET /channels/{channel}/messages', () => {
  const route = 'GET /channels/{channel}/messages';
  const path = { channel: 'user:member:1' };

  it('lists a log in pages, only to its own tenant', async () => {
    const { request, publish } = await load();
    for (const content of [1, 2, 3])
      await publish({ to: 'user:member:1', type: 'notice', content, durable: true });
    const first = await request(route, { path, query: { limit: '2' } });
    expect(first).toMatchObject({
      status: 200,
      body: { messages: [{ content: 1 }, { content: 2 }], head: 3, next: 2 },
    });
    const second = await request(route, { path, query: { after: '2', limit: '1000' } });
    expect(second).toMatchObject({ status: 200, body: { messages: [{ content: 3 }], head: 3 } });
    expect(second.body).not.toHaveProperty('next');
    expect(await request(route, { path, query: { tenant: 'other' } })).toMatchObject({
      body: { messages: [], head: 0 },
    });
  });

  it('lists a log backwards, newest first', async () => {
    const { request, publish } = await load();
    for (const content of [1, 2, 3])
      await publish({ to: 'user:member:1', type: 'notice', content, durable: true });
    expect(await request(route, { path, query: { before: '1000', limit: '2' } })).toMatchObject({
      status: 200,
      body: { messages: [{ content: 3 }, { content: 2 }], head: 3, next: 2 },
    });
    const last = await request(route, { path, query: { before: '2' } });
    expect(last).toMatchObject({ status: 200, body: { messages: [{ content: 1 }], head: 3 } });
    expect(last.body).not.toHaveProperty('next');
  });

  it.each([
    { query: { before: '3', after: '1' }, field: 'before', message: 'must not be given with after' },
    { query: { before: '0' }, field: 'before', message: 'must be a whole number from 1' },
    { query: { limit: '0' }, field: 'limit', message: 'must be 1 to 1000' },
    { query: { limit: '1001' }, field: 'limit', message: 'must be 1 to 1000' },
    ...['-1', '1.5', '1e2', ' 1', '', 'x'].map((after) => {
      return { query: { after }, field: 'after', message: 'must be a whole number from 0' };
    }),
    { query: { offset: '1' }, field: 'offset', message: 'is not a known field' },
  ])('with $query is 400 and names $field', async ({ query, field, message }) => {
    const { request } = await load();
    expect(await request(route, { path, query })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field, message }] } },
    });
  });

  it.each(['session:c1=', 'nobody'])('of %s is 400, because that has no log', async (channel) => {
    const { request } = await load();
    expect(await request(route, { path: { channel } })).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'bad_request',
          message: expect.stringMatching(/^channel: must be user:.* or everyone[;,]/) as string,
          details: [{ field: 'channel' }],
        },
      },
    });
  });
});
