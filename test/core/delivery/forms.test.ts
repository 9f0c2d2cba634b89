import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { frameFor, type ContentAs } from '../../../core/content-form.ts';
import { payloadsOf } from '../../../core/delivery/payloads.ts';
import { readShardAudience } from '../../../core/fan-out/shard-audience.ts';
import { parseTarget, readPublishRequest } from '../../../protocol/index.ts';
import { type Core, minuteMs, sessionOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { createRecordingConnections } from '../recording-connections.ts';

const dynamodb = useDynamoDB();
const forms: readonly (ContentAs | undefined)[] = [undefined, 'text', 'json'];
const user = { tenant: 'default', userType: 'member', userId: '1' };

/** Sessions c0 to c8 of one user: each form three times. */
async function withForms(options = {}): Promise<Core> {
  const core = await dynamodb.create(options);
  const all = Array.from({ length: 9 }, (_, index) => ({
    id: `c${String(index)}`,
    contentAs: forms[index % 3],
  }));
  for (const { id, contentAs } of all) await core.sessions.add({ ...sessionOf(id), contentAs });
  for (const { id } of all) {
    const subscriber = { identity: user, connectionId: id };
    expect(await core.subscriptions.subscribe(subscriber, 'news', ['*'])).toBe('subscribed');
  }
  return core;
}

const contentsOf = ({ connections }: Core) =>
  Array.from({ length: 9 }, (_, index) =>
    connections.framesTo(`c${String(index)}`).map((frame) => (frame as { content: unknown }).content),
  );

const expected = Array.from({ length: 9 }, (_, index) => [index % 3 === 1 ? '{"a":1}' : { a: 1 }]);

describe('the form of content', () => {
  it.each(['user:member:1', 'type:member', 'topic:news', 'everyone'])(
    'is that of each session behind %s',
    async (to) => {
      const core = await withForms();
      await core.publish(readPublishRequest({ to, type: 'n', content: { a: 1 } }));
      expect(contentsOf(core)).toEqual(expected);
    },
  );

  it('is that of each session of a list of single connections', async () => {
    const core = await withForms();
    const to = Array.from({ length: 9 }, (_, index) => `session:c${String(index)}`);
    await core.publish(readPublishRequest({ to, type: 'n', content: { a: 1 } }));
    expect(contentsOf(core)).toEqual(expected);
  });

  it('takes no session twice or out of the pages of several targets', async () => {
    const core = await withForms({ shards: 1 });
    const to = ['type:member', 'topic:news'].map((target) => parseTarget(target, 'to'));
    const request = { tenant: 'default', to, exclude: [], shard: 0 };
    for (const limit of [1, 2, 4]) {
      const audience = await readShardAudience(core.recipients, request);
      const found: string[] = [];
      let position: string | undefined;
      do {
        const page = await audience.page(position, limit);
        found.push(
          ...page.recipients.map(({ connectionId, contentAs }) => `${connectionId} ${contentAs ?? '-'}`),
        );
        position = page.next;
      } while (position !== undefined);
      expect(found).toEqual(
        Array.from({ length: 9 }, (_, index) => `c${String(index)} ${forms[index % 3] ?? '-'}`),
      );
    }
  });

  it('does not hide a session from the index', async () => {
    const core = await withForms();
    for (const id of ['c0', 'c1', 'c2']) expect(await core.recipients.isIndexed(user, id)).toBe(true);
    expect(await core.recipients.isIndexed(user, 'c')).toBe(false);
  });

  it('stays through a refresh, also in new subscriptions', async () => {
    const core = await withForms();
    const token = {
      expiresAt: startOfTime + 90 * minuteMs,
      rights: { topics: ['*'], watch: [] },
      claims: {},
    };
    await core.refreshSession(user, 'c1', token);
    await core.subscriptions.subscribe({ identity: user, connectionId: 'c1' }, 'late', ['*']);
    await core.publish(readPublishRequest({ to: 'topic:late', type: 'n', content: { a: 1 } }));
    expect(contentsOf(core)[1]).toEqual(['{"a":1}']);
  });

  it('that is absent leaves the rows as those of earlier versions, whose content is as it was sent', async () => {
    const core = await dynamodb.create();
    await core.sessions.add(sessionOf('c0'));
    await core.subscriptions.subscribe({ identity: user, connectionId: 'c0' }, 'news', ['*']);
    expect(await core.sessions.row(user, 'c0')).toMatchObject({ member: 'member#c0' });
    const { Items } = await core.db.send(new ScanCommand({ TableName: core.tables.sessions }));
    expect(Items).toHaveLength(2);
    for (const row of Items ?? []) expect(row).not.toHaveProperty('contentAs');
    for (const to of ['user:member:1', 'topic:news', 'everyone'])
      await core.publish(readPublishRequest({ to, type: 'n', content: { a: 1 } }));
    expect(contentsOf(core)[0]).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
  });
});

describe('the payloads of one publish', () => {
  it.each([
    [{ frame: '{"type":"n","content":{"a":1}}' }, 2],
    [{ frame: '{"type":"n","content":"hi"}' }, 1],
    [{ frame: '{"type":"n","content":"{\\"a\\":1}"}', form: 'text' }, 2],
    [{ frame: '{"type":"n","content":"\\"hi\\""}', form: 'text' }, 2],
    [{ frame: 'hello', form: 'bare' }, 1],
  ] as const)('of %j are %i at most', (outgoing, most) => {
    const payloadFor = payloadsOf(createRecordingConnections(), outgoing);
    const payloads = [...forms, ...forms].map((form) => payloadFor(form));
    expect(new Set(payloads).size).toBe(most);
  });

  it('keep a string that is content as it is', () => {
    for (const form of forms) expect(frameFor({ frame: '{"content":"5"}' }, form)).toBe('{"content":"5"}');
    const quoted = { frame: '{"content":"\\"hi\\""}', form: 'text' } as const;
    expect(forms.map((form) => frameFor(quoted, form))).toEqual([
      quoted.frame,
      '{"content":"hi"}',
      '{"content":"hi"}',
    ]);
  });
});

describe('a message that is above 128 KB as JSON text only', () => {
  const content = { quotes: '"'.repeat(60_000) };

  it('fails for the sessions that take JSON text, and reaches all others', async () => {
    const core = await dynamodb.create({
      post: (id) => (id === 'c1' ? { outcome: 'too_large', requestId: undefined } : { outcome: 'sent' }),
    });
    await core.sessions.add(sessionOf('c0'));
    await core.sessions.add({ ...sessionOf('c1'), contentAs: 'text' });
    const answer = await core.publish(readPublishRequest({ to: 'user:member:1', type: 'n', content }));
    expect(answer).toMatchObject({ delivered: 1, failed: 1 });
  });

  it('is left out of a recover, which goes on and says so', async () => {
    const core = await dynamodb.create();
    const publish = (sent: unknown) =>
      core.publish(readPublishRequest({ to: 'user:member:1', type: 'n', content: sent, durable: true }));
    for (const sent of [content, { a: 1 }]) await publish(sent);
    const log = { tenant: 'default', channel: 'user:member:1' };
    const from = { epoch: '', offset: 0 };
    const identity = { tenant: 'default', userType: 'member', userId: '1' };
    const asText = { identity, connectionId: 'c1', contentAs: 'text' } as const;
    const [answer] = await core.recover(asText, [{ log, from }]);
    expect(answer).toMatchObject({ offset: 2, recovered: false });
    expect(contentsOf(core)[1]).toEqual(['{"a":1}']);
    const [whole] = await core.recover({ identity, connectionId: 'c2' }, [{ log, from }]);
    expect(whole).toMatchObject({ offset: 2, recovered: true });
  });
});
