import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import type { Ticket } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { contentAs } from '../content-form.ts';
import type { TokenVerdict, VerifiedToken, VerifyToken } from './verified-token.ts';

export interface TicketParts {
  readonly db: DynamoDBDocumentClient;
  /** The state table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Unpredictable bytes. */
  readonly randomBytes: (size: number) => Buffer;
}

export type Tickets = ReturnType<typeof createTickets>;

/** Long enough for a slow network between the two requests, and too short to find a ticket in a log and use it. */
const lifetimeMs = 30_000;

const prefix = 'swt_';

/** So that no two tickets are equal, and none is guessed. */
const ticketBytes = 32;

const patterns = z.array(z.string());

/** What is stored of a token. */
const storedToken = z.object({
  identity: z.object({ tenant: z.string(), userType: z.string(), userId: z.string() }),
  issuedAt: z.optional(z.number()),
  expiresAt: z.number(),
  rights: z.object({ topics: patterns, send: z.optional(patterns), watch: patterns }),
  claims: z.record(z.string(), z.string()),
  contentAs: z.optional(contentAs),
});

/** What opens connections: the setting `connectWith`. */
export type ConnectWith = 'token' | 'ticket' | 'either';

/** Refuses tickets where only a token counts: a verifier of the stack's owner must not get to see them. */
export function refuseTickets(verify: VerifyToken): VerifyToken {
  return async (text) => (isTicket(text) ? { ok: false, reason: 'a ticket is no token' } : verify(text));
}

/** Verifies the token or ticket of a handshake. */
export function createVerifyHandshake(
  connectWith: ConnectWith,
  { verify, tickets }: { readonly verify: VerifyToken; readonly tickets: Pick<Tickets, 'use'> },
): (text: string, origin: string | undefined) => Promise<TokenVerdict> {
  return async (text, origin) => {
    if (isTicket(text) && connectWith !== 'token') return tickets.use(text, origin);
    if (connectWith === 'ticket') return { ok: false, reason: 'only a ticket opens a connection here' };
    return refuseTickets(verify)(text);
  };
}

/** Tickets stand for the token that asked for them, in one handshake. The table holds only their hashes. */
export function createTickets({ db, table, clock, randomBytes }: TicketParts) {
  return {
    /** Makes a ticket for pages of this Origin. `undefined`: for clients that send none. */
    async issue(token: VerifiedToken, origin: string | undefined): Promise<Ticket> {
      const ticket = `${prefix}${randomBytes(ticketBytes).toString('base64url')}`;
      const now = clock.now();
      const validUntil = Math.min(now + lifetimeMs, token.expiresAt);
      const expiresAt = Math.ceil(validUntil / 1000);
      await db.send(
        new PutCommand({
          TableName: table,
          Item: { ...keyOf(ticket), token, origin, validUntil, expiresAt },
        }),
      );
      return { ticket, expiresIn: Math.floor((validUntil - now) / 1000) };
    },

    /** Takes a ticket that a handshake from this Origin brings. Of several uses at once, one succeeds. */
    async use(ticket: string, origin: string | undefined): Promise<TokenVerdict> {
      const isOfOrigin = origin === undefined ? 'attribute_not_exists(origin)' : 'origin = :origin';
      try {
        const { Attributes } = await db.send(
          new DeleteCommand({
            TableName: table,
            Key: keyOf(ticket),
            // One write decides, so a ticket is never valid twice. Another Origin does not use it up.
            ConditionExpression: `validUntil > :now AND ${isOfOrigin}`,
            ExpressionAttributeValues: {
              ':now': clock.now(),
              ...(origin !== undefined && { ':origin': origin }),
            },
            ReturnValues: 'ALL_OLD',
          }),
        );
        const { issuedAt, ...token } = z.parse(storedToken, Attributes?.['token']);
        return { ok: true, token: { ...token, issuedAt } };
      } catch (cause) {
        if (!(cause instanceof ConditionalCheckFailedException)) throw cause;
        return { ok: false, reason: 'the ticket is unknown, used, expired or of another origin' };
      }
    },
  };
}

/** Whether a text is meant as a ticket. No JWT begins so. */
function isTicket(text: string): boolean {
  return text.startsWith(prefix);
}

function keyOf(ticket: string) {
  return { pk: `TICKET#${createHash('sha256').update(ticket).digest('hex')}`, sk: 'TICKET' };
}
