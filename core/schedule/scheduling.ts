import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import { createWaitingPublications } from '../publications/waiting.ts';
import { createScheduledMessages } from './rows.ts';

/** The parts that only functions with scheduled messages bundle, from the resources of a Switchboard. */
export function createScheduling(
  { db, tables }: { readonly db: DynamoDBDocumentClient; readonly tables: { readonly state: string } },
  clock: Pick<Clock, 'now' | 'newId'>,
) {
  const inState = { db, table: tables.state, clock };
  return { waiting: createWaitingPublications(inState), scheduled: createScheduledMessages(inState) };
}
