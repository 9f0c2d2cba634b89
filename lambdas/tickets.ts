import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { createTickets } from '../core/auth/tickets.ts';
import { systemClock as clock } from '../core/clock.ts';
import { createUserLimit } from '../core/limits/limit.ts';
import { ticketUnits } from '../core/limits/units.ts';
import { parseWith } from '../protocol/index.ts';
import { readContext } from './auth/authorizer-context.ts';
import { db } from './database.ts';
import { readEnvironment } from './environment.ts';
import { type AuthorizedHttpEvent, header } from './events.ts';
import { httpResponse, jsonBody, noQuery, queryOf, resultOf, textBody } from './http/http.ts';

const { STATE_TABLE: table, USER_RATE: userRate } = readEnvironment('tickets');
const tickets = createTickets({ db, table, clock, randomBytes });
const limit = createUserLimit({ db, table, clock }, userRate);

/** A field that somebody hopes to limit the ticket with must not be ignored. */
const noFields = z.strictObject({});

/** Room for `{}` with spaces. */
const maxBodyBytes = 1024;

/** Answers `POST /tickets`, after `authorize` has verified the bearer token. */
export async function handler(event: AuthorizedHttpEvent) {
  const result = await resultOf(async () => {
    queryOf(event, noQuery);
    const isEmpty = textBody(event, maxBodyBytes) === '';
    if (!isEmpty) parseWith(noFields, jsonBody(event, maxBodyBytes), '', 'bad_request');
    const token = readContext(event.requestContext.authorizer.lambda);
    const refusal = await limit(token.identity, ticketUnits);
    if (refusal) throw refusal;
    return { status: 200, body: await tickets.issue(token, header(event.headers, 'origin')) };
  });
  return httpResponse(result);
}
