import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clientOf } from '../events.ts';
import { useCloud } from '../functions-under-test.ts';
import { load } from './api-under-test.ts';

const cloud = useCloud();

describe('GET /publications/{messageId}', () => {
  it('shows the publication, only to its own tenant', async () => {
    const { request, publish } = await load([clientOf('c1=')]);
    const messageId = randomUUID();
    await publish({ to: 'everyone', type: 'notice', content: 1, messageId });

    const path = { messageId };
    const { status, body } = await request('GET /publications/{messageId}', { path });
    expect(status).toBe(200);
    const time = expect.any(Number) as number;
    expect(body).toEqual({
      messageId,
      status: 'done',
      ...{ delivered: 1, gone: 0, failed: 0, pending: 0 },
      shards: [],
      startedAt: time,
      finishedAt: time,
    });
    const query = { tenant: 'other' };
    expect(await request('GET /publications/{messageId}', { path, query })).toMatchObject({ status: 404 });
  });

  it('is 404 for an unknown publication, and 400 for an invalid UUID', async () => {
    const { request } = await load();
    const get = (messageId: string) => request('GET /publications/{messageId}', { path: { messageId } });
    expect(await get(randomUUID())).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(await get('42')).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'messageId', message: 'must be a UUID' }] } },
    });
  });

  it('takes no cursor without recipients=true', async () => {
    const { request } = await load();
    const given = { path: { messageId: randomUUID() }, query: { cursor: 'abc' } };
    expect(await request('GET /publications/{messageId}', given)).toMatchObject({
      status: 400,
      body: { error: { details: [{ field: 'cursor', message: 'needs recipients=true' }] } },
    });
  });
});

describe('a publication with ?recipients=true', () => {
  it('has the outcome for each recipient', async () => {
    const { request, publish } = await load([clientOf('c1='), clientOf('gone=', { userId: '2' })]);
    cloud.current().callbackApi.statuses.set('gone=', 410);
    const messageId = randomUUID();
    await publish({ to: 'everyone', type: 'notice', content: 1, messageId, report: 'recipients' });
    const path = { messageId };
    const { body } = await request('GET /publications/{messageId}', { path, query: { recipients: 'true' } });
    const member = { userType: 'member', userId: '1' };
    expect(body).toMatchObject({ status: 'done', delivered: 1, gone: 1 });
    expect(body).toHaveProperty(
      'recipients',
      expect.arrayContaining([
        { connectionId: 'c1=', ...member, outcome: 'delivered' },
        { connectionId: 'gone=', ...member, userId: '2', outcome: 'gone' },
      ]),
    );
    expect(body).not.toHaveProperty('cursor');
    expect((await request('GET /publications/{messageId}', { path })).body).not.toHaveProperty('recipients');
  });

  it.each([
    { query: { recipients: 'yes' }, field: 'recipients' },
    { query: { recipients: 'true', cursor: 'garbage' }, field: 'cursor' },
    { query: { colour: 'red' }, field: 'colour' },
  ])('that asks with $query is 400 and names $field', async ({ query, field }) => {
    const { request, publish } = await load();
    const messageId = randomUUID();
    await publish({ to: 'everyone', type: 'notice', content: 1, messageId });
    expect(await request('GET /publications/{messageId}', { path: { messageId }, query })).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request', details: [{ field }] } },
    });
  });
});
