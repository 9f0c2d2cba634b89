import type { Logger } from '@aws-lambda-powertools/logger';
import type { Clock } from '../clock.ts';
import { type Change, readChange } from './changes.ts';
import type { Probes } from './probes.ts';
import type { Settle } from './settle.ts';
import type { PresenceStates, StateRow } from './states.ts';
import { type RowKey, stateKey, type Subject, watchedOf, watchKey } from './subjects.ts';

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

/** The changes of one subject in a batch. They are settled once. */
interface Group {
  readonly subject: Subject;
  readonly watch: RowKey;
  readonly changes: Change[];
  readonly numbers: string[];
}

export function createTakeChanges(options: TakeChangesOptions): TakeChanges {
  const { states, settle, probes, clock, logger } = options;

  async function take({ subject, changes }: Group, watch: StateRow | undefined): Promise<void> {
    const { user, topic } = subject;
    const ends = changes.flatMap(({ endedAt }) => endedAt ?? []);
    if (ends.length > 0) await states.see(user, Math.max(...ends));
    if (watch === undefined || !isWatched(watch, clock.now())) return;
    const ended = changes.flatMap((change) => change.ended ?? []);
    const settled = await settle(subject, watch, ended);
    if (settled?.isPresent && topic === undefined)
      await probes.ensure(user.tenant, watchedOf(subject), settled.row);
  }

  return async (records) => {
    const failed: string[] = [];
    const groups = new Map<string, Group>();
    for (const record of records) {
      const { SequenceNumber } = record.dynamodb;
      try {
        const change = readChange(record, clock.now());
        const { subject } = change;
        const watch = watchKey(subject.user.tenant, watchedOf(subject));
        const { pk } = stateKey(subject);
        const group = groups.get(pk) ?? { subject, watch, changes: [], numbers: [] };
        group.changes.push(change);
        group.numbers.push(SequenceNumber);
        groups.set(pk, group);
      } catch (cause) {
        logger.error('record was not read', { SequenceNumber, cause });
        failed.push(SequenceNumber);
      }
    }
    const keys = new Map([...groups.values()].map(({ watch }) => [watch.pk, watch]));
    const rows = await states.readAll([...keys.values()]);
    await Promise.all(
      [...groups.values()].map(async (group) => {
        try {
          await take(group, rows.get(group.watch.pk));
        } catch (cause) {
          logger.error('presence was not settled', { SequenceNumbers: group.numbers, cause });
          failed.push(...group.numbers);
        }
      }),
    );
    return failed;
  };
}

export function isWatched({ watchedUntil = 0 }: StateRow, now: number): boolean {
  return watchedUntil > now;
}
