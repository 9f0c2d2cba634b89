import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PostOutcome } from '../../../core/connections/client.ts';
import { createRecipientReports } from '../../../core/publications/report.ts';
import { readCursor } from '../../../core/tables/page-cursor.ts';
import { type Core, idsOf, startOfTime, useDynamoDB } from '../core-under-test.ts';
import { withUnprocessed } from '../database-stand-ins.ts';
import { failed, gone, throttled } from '../recording-connections.ts';

const dynamodb = useDynamoDB();
const identity = { tenant: 'default', userType: 'member', userId: '1' };
const sent = { outcome: 'sent' } as const;

function recipients(count: number) {
  const ids = Array.from({ length: count }, (_, index) => `c${String(index).padStart(2, '0')}`);
  return ids.map((connectionId) => ({ connectionId, identity, connectedAt: startOfTime }));
}

function sentTo(to: readonly { readonly connectionId: string }[]) {
  return new Map(to.map(({ connectionId }) => [connectionId, sent]));
}

/** Every page of a publication's report. */
async function pagesOf({ reports }: Core, tenant: string, messageId: string, limit: number) {
  const pages: string[][] = [];
  let from: Parameters<typeof reports.page>[1] | undefined = { shard: 0 };
  while (from) {
    const page: Awaited<ReturnType<typeof reports.page>> = await reports.page(
      { tenant, messageId },
      from,
      limit,
    );
    pages.push(idsOf(page.recipients));
    from = page.next;
  }
  return pages;
}

describe('the report on recipients', () => {
  it('is read in pages, each recipient once', async () => {
    const core = await dynamodb.create();
    const messageId = randomUUID();
    const all = recipients(30);
    await core.reports.add({ tenant: 'default', messageId }, all, sentTo(all));
    const pages = await pagesOf(core, 'default', messageId, 7);
    expect(Math.max(...pages.map(({ length }) => length))).toBe(7);
    expect(pages.flat().sort()).toEqual(idsOf(all));
  });

  it.each(['', ' ', 'é', 'x'.repeat(600)])(
    'is refused from a position that no page returned: %j',
    (after) => {
      const cursor = Buffer.from(JSON.stringify({ of: 'report', shard: 0, after })).toString('base64url');
      expect(() => readCursor('report', cursor)).toThrow('cursor: must be the cursor of an earlier page');
    },
  );

  it('has the outcome for a recipient, and the reason if it failed', async () => {
    const core = await dynamodb.create({ shards: 1 });
    const id = { tenant: 'default', messageId: randomUUID() };
    const outcomes = new Map<string, PostOutcome>([
      ['c00', sent],
      ['c01', gone],
      ['c02', throttled],
      ['c03', failed],
    ]);
    await core.reports.add(id, recipients(4), outcomes);
    const { recipients: reported } = await core.reports.page(id, { shard: 0 }, 10);
    expect(reported.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['delivered', undefined],
      ['gone', undefined],
      ['failed', 'throttled'],
      ['failed', 'service_error'],
    ]);
  });

  it('says failed for a recipient that was not reached before the deadline', async () => {
    const core = await dynamodb.create();
    const id = { tenant: 'default', messageId: randomUUID() };
    await core.reports.add(id, recipients(1), new Map());
    const { recipients: reported } = await core.reports.page(id, { shard: 0 }, 10);
    expect(reported).toMatchObject([{ connectionId: 'c00', outcome: 'failed', reason: 'deadline' }]);
  });

  it('belongs to its tenant: another tenant with the same messageId has its own report', async () => {
    const core = await dynamodb.create();
    const messageId = randomUUID();
    const [ours, theirs] = [recipients(2), recipients(1)];
    await core.reports.add({ tenant: 'default', messageId }, ours, sentTo(ours));
    expect(await pagesOf(core, 'other', messageId, 10)).toEqual([[]]);
    await core.reports.add({ tenant: 'other', messageId }, theirs, sentTo(theirs));
    expect(await pagesOf(core, 'default', messageId, 10)).toEqual([idsOf(ours)]);
    expect(await pagesOf(core, 'other', messageId, 10)).toEqual([idsOf(theirs)]);
  });

  it('is complete if DynamoDB leaves a part of the batch unprocessed', async () => {
    const core = await dynamodb.create();
    const messageId = randomUUID();
    const all = recipients(3);
    const { tables, clock } = core;
    const db = withUnprocessed(core.db);
    const throttled = createRecipientReports({ db, table: tables.state, shards: 3, clock });
    await throttled.add({ tenant: 'default', messageId }, all, sentTo(all));
    expect((await pagesOf(core, 'default', messageId, 10)).flat().sort()).toEqual(idsOf(all));
  });
});
