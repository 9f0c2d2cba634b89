import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '../clock.ts';
import { type Change, readChange } from './changes.ts';
import type { Probes } from './probes.ts';
import type { Settle } from './settle.ts';
import type { PresenceStates, StateRow } from './states.ts';
import { stateKey, watchedOf, watchKey } from './subjects.ts';

export interface TakeChangesOptions {
  readonly states: Pick<PresenceStates, 'readAll' | 'see'>;
  readonly settle: Settle;
  readonly probes: Pick<Probes, 'ensure'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** A record of the stream of the sessions table. */
export interface ChangeRecord {
  readonly dynamodb: { readonly SequenceNumber: string };
}

/** Takes records of the stream. Resolves to the ids of those that the stream must deliver again. */
export type TakeChanges = (records: readonly ChangeRecord[]) => Promise<readonly string[]>;

export function createTakeChanges(options: TakeChangesOptions): TakeChanges {
  const { states, settle, probes, clock, logger } = options;

  /** Changes of one subject. A batch of them is settled once. */
  async function take(changes: readonly Change[], watch: StateRow | undefined): Promise<void> {
    const [first] = changes;
    if (!first) return;
    const { subject } = first;
    const { user, topic } = subject;
    const ends = changes.flatMap(({ endedAt }) => (endedAt === undefined ? [] : [endedAt]));
    if (ends.length > 0) await states.see(user, Math.max(...ends));
    if (watch === undefined || !isWatched(watch, clock.now())) return;
    const ended = changes.flatMap((change) => change.ended ?? []);
    const settled = await settle(subject, watch, ended);
    if (settled?.isPresent && topic === undefined)
      await probes.ensure(user.tenant, watchedOf(subject), settled.row);
  }

  return async (records) => {
    const failed: string[] = [];
    const groups = new Map<string, { changes: Change[]; numbers: string[] }>();
    for (const record of records) {
      const { SequenceNumber } = record.dynamodb;
      try {
        const change = readChange(record, clock.now());
        const { pk } = stateKey(change.subject);
        const { changes, numbers } = groups.get(pk) ?? { changes: [], numbers: [] };
        groups.set(pk, { changes: [...changes, change], numbers: [...numbers, SequenceNumber] });
      } catch (cause) {
        logger.error('record was not read', { SequenceNumber, cause });
        failed.push(SequenceNumber);
      }
    }
    const keyOf = ([{ subject }]: readonly [Change, ...Change[]] | Change[]) =>
      subject && watchKey(subject.user.tenant, watchedOf(subject));
    const keys = [...groups.values()].flatMap(({ changes }) => keyOf(changes) ?? []);
    const rows = await states.readAll([...new Map(keys.map((key) => [key.pk, key])).values()]);
    await Promise.all(
      [...groups.values()].map(async ({ changes, numbers }) => {
        try {
          await take(changes, rows.get(keyOf(changes)?.pk ?? ''));
        } catch (cause) {
          logger.error('presence was not settled', { SequenceNumbers: numbers, cause });
          failed.push(...numbers);
        }
      }),
    );
    return failed;
  };
}

export function isWatched({ watchedUntil = 0 }: StateRow, now: number): boolean {
  return watchedUntil > now;
}
