import { randomBytes } from 'node:crypto';
import { createTickets } from '../../core/auth/tickets.ts';
import type { VerifiedToken } from '../../core/auth/verified-token.ts';
import type { Stack } from './stack.ts';
import { onTable } from './tables.ts';

/** The address with a ticket that was stored as `POST /tickets` does it, for any token and at a time of one's choice. */
export async function addressWithTicket(
  stack: Stack,
  token: Partial<VerifiedToken>,
  now = Date.now(),
): Promise<string> {
  const whole: VerifiedToken = {
    identity: { tenant: 'default', userType: 'member', userId: '42' },
    issuedAt: now,
    expiresAt: now + 3_600_000,
    rights: { topics: [], watch: [] },
    claims: {},
    ...token,
  };
  let address = '';
  await onTable(stack, 'State', async (db, table) => {
    const tickets = createTickets({ db, table, clock: { now: () => now }, randomBytes });
    const { ticket } = await tickets.issue(whole, undefined);
    address = `${stack.url.replace('http', 'ws')}/live?token=${ticket}`;
  });
  return address;
}
