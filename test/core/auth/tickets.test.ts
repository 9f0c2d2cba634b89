import { createHash, randomBytes } from 'node:crypto';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { createTickets, createVerifyHandshake, refuseTickets } from '../../../core/auth/tickets.ts';
import type { TokenVerdict, VerifiedToken } from '../../../core/auth/verified-token.ts';
import { minuteMs, startOfTime, useDynamoDB } from '../core-under-test.ts';

const database = useDynamoDB();
const origin = 'https://app.example.com';
const token: VerifiedToken = {
  identity: { tenant: 'acme', userType: 'admin', userId: '42' },
  issuedAt: startOfTime - minuteMs,
  expiresAt: startOfTime + 60 * minuteMs,
  rights: { topics: ['orders.*'], send: ['order-*'], watch: ['user:*'] },
  claims: { role: 'admin' },
};
const reason = 'the ticket is unknown, used, expired or of another origin';
const refused: TokenVerdict = { ok: false, reason };

async function ticketing() {
  const { db, tables, clock } = await database.create();
  const tickets = createTickets({ db, table: tables.state, clock, randomBytes });
  const rows = async () => (await db.send(new ScanCommand({ TableName: tables.state }))).Items ?? [];
  return { tickets, clock, db, tables, rows };
}

describe('a ticket', () => {
  it('stands once for the token that asked for it', async () => {
    const { tickets, rows } = await ticketing();
    const { ticket, expiresIn } = await tickets.issue(token, origin);
    expect(ticket).toMatch(/^swt_[\w-]{43}$/);
    expect(expiresIn).toBe(30);
    expect(await tickets.use(ticket, origin)).toEqual({ ok: true, token });
    expect(await rows()).toEqual([]);
    expect(await tickets.use(ticket, origin)).toEqual(refused);
  });

  it('keeps a token with no more than it must have as it is', async () => {
    const { tickets } = await ticketing();
    const plain = { ...token, issuedAt: undefined, rights: { topics: [], watch: [] }, claims: {} };
    const { ticket } = await tickets.issue(plain, undefined);
    expect(await tickets.use(ticket, undefined)).toEqual({ ok: true, token: plain });
  });

  it('is stored as its hash only, with a TTL', async () => {
    const { tickets, rows } = await ticketing();
    const { ticket } = await tickets.issue(token, origin);
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    const hash = createHash('sha256').update(ticket).digest('hex');
    expect(row).toMatchObject({ pk: `TICKET#${hash}`, origin, expiresAt: startOfTime / 1000 + 30 });
    expect(JSON.stringify(row)).not.toContain(ticket.slice('swt_'.length));
  });

  it('is another one each time', async () => {
    const { tickets } = await ticketing();
    const issued = await Promise.all(Array.from({ length: 20 }, () => tickets.issue(token, origin)));
    expect(new Set(issued.map(({ ticket }) => ticket)).size).toBe(20);
  });

  it('is good for less than 30 seconds', async () => {
    const { tickets, clock } = await ticketing();
    const [first, second] = [await tickets.issue(token, origin), await tickets.issue(token, origin)];
    clock.ms += 29_999;
    expect(await tickets.use(first.ticket, origin)).toMatchObject({ ok: true });
    clock.ms += 1;
    expect(await tickets.use(second.ticket, origin)).toEqual(refused);
  });

  it('does not outlive its token', async () => {
    const { tickets, clock } = await ticketing();
    const { ticket, expiresIn } = await tickets.issue({ ...token, expiresAt: startOfTime + 5_000 }, origin);
    expect(expiresIn).toBe(5);
    clock.ms += 5_000;
    expect(await tickets.use(ticket, origin)).toEqual(refused);
  });

  it.each([
    [origin, 'https://evil.example'],
    [origin, undefined],
    [undefined, origin],
  ])('of the origin %s is refused from the origin %s, and stays good for its own', async (own, other) => {
    const { tickets } = await ticketing();
    const { ticket } = await tickets.issue(token, own);
    expect(await tickets.use(ticket, other)).toEqual(refused);
    expect(await tickets.use(ticket, own)).toMatchObject({ ok: true });
  });

  it('that nobody was given is refused', async () => {
    const { tickets } = await ticketing();
    for (const made of ['swt_', `swt_${'A'.repeat(43)}`, `swt_${'x'.repeat(4000)}`])
      expect(await tickets.use(made, undefined)).toEqual(refused);
  });

  it('opens one of eight handshakes that use it at once', async () => {
    const { tickets } = await ticketing();
    const { ticket } = await tickets.issue(token, origin);
    const verdicts = await Promise.all(Array.from({ length: 8 }, () => tickets.use(ticket, origin)));
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1);
    expect(verdicts.filter(({ ok }) => !ok)).toEqual(Array(7).fill(refused));
  });

  it('that cannot be read is a fault, and not a refusal', async () => {
    const { db, clock, tables, tickets } = await ticketing();
    const lost = createTickets({ db, table: 'missing', clock, randomBytes });
    await expect(lost.use('swt_x', undefined)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const { pk, sk } = { pk: `TICKET#${createHash('sha256').update('swt_x').digest('hex')}`, sk: 'TICKET' };
    const Item = { pk, sk, validUntil: startOfTime + 1, token: { identity: {} } };
    await db.send(new PutCommand({ TableName: tables.state, Item }));
    await expect(tickets.use('swt_x', undefined)).rejects.toThrow('tenant');
  });
});

describe('the setting connectWith', () => {
  const jwt = 'head.payload.signature';
  const ofTicket = { ok: true, token } as const;
  const ofToken = { ok: true, token: { ...token, claims: {} } } as const;
  const verifying = (connectWith: 'token' | 'ticket' | 'either') =>
    createVerifyHandshake(connectWith, {
      verify: () => Promise.resolve(ofToken),
      tickets: { use: (_ticket, from) => Promise.resolve(from === origin ? ofTicket : refused) },
    });

  it.each([
    ['either', 'swt_x', ofTicket],
    ['either', jwt, ofToken],
    ['ticket', 'swt_x', ofTicket],
    ['ticket', jwt, { ok: false, reason: 'only a ticket opens a connection here' }],
    ['ticket', '', { ok: false, reason: 'only a ticket opens a connection here' }],
    ['token', jwt, ofToken],
    ['token', 'swt_x', { ok: false, reason: 'a ticket is no token' }],
  ] as const)('%s: a handshake with %j', async (connectWith, text, verdict) => {
    expect(await verifying(connectWith)(text, origin)).toEqual(verdict);
  });

  it('passes the origin of the handshake on', async () => {
    expect(await verifying('either')('swt_x', 'https://evil.example')).toEqual(refused);
  });
});

describe('a verifier of tokens', () => {
  it('never sees a ticket', async () => {
    const seen: string[] = [];
    const verify = refuseTickets((text) => {
      seen.push(text);
      return Promise.resolve({ ok: true, token });
    });
    expect(await verify('swt_secret')).toEqual({ ok: false, reason: 'a ticket is no token' });
    expect(await verify('opaque')).toEqual({ ok: true, token });
    expect(seen).toEqual(['opaque']);
  });
});
