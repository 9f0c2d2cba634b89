import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../clock.ts';
import type { Rate } from './rate.ts';

export interface RateCounterOptions {
  readonly db: DynamoDBDocumentClient;
  /** The state table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** Counts units. Resolves to 0 if they are within the rate, or to the milliseconds until units are free again. */
export type Take = (key: string, units: number) => Promise<number>;

/** The units of one key in this window. */
interface Count {
  /** As far as this environment knows. */
  total: number;
  /** Those that the shared counter does not have yet. */
  unreported: number;
}

/**
 * Fixed windows of `burstLimit / rateLimit` seconds, with `burstLimit` units in each. A function environment counts by
 * itself, and adds to a shared row once it has more than an eighth of the burst to report. So a quiet client costs no
 * write. A flood gets at most an eighth of the burst more from each environment that it reaches.
 */
export function createRateCounter({ db, table, clock }: RateCounterOptions, rate: Rate): Take {
  const windowMs = (rate.burstLimit / rate.rateLimit) * 1000;
  let window = 0;
  let counts = new Map<string, Count>();

  /** Adds to the shared counter. Resolves to the units that all environments have reported. */
  async function report(key: string, units: number, at: number): Promise<number> {
    const { Attributes } = await db.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: `RATE#${key}`, sk: String(at) },
        UpdateExpression: 'ADD units :units SET expiresAt = :expiresAt',
        ExpressionAttributeValues: { ':units': units, ':expiresAt': Math.ceil(((at + 1) * windowMs) / 1000) },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return Number(Attributes?.units);
  }

  return async (key, units) => {
    const now = clock.now();
    const current = Math.floor(now / windowMs);
    if (current !== window) {
      window = current;
      counts = new Map();
    }
    const restMs = Math.ceil((current + 1) * windowMs - now);
    const count = counts.get(key) ?? { total: 0, unreported: 0 };
    counts.set(key, count);
    // Refused units are not counted. So a flood costs no writes once its burst is known to be spent.
    if (count.total + units > rate.burstLimit) return restMs;
    count.total += units;
    count.unreported += units;
    if (count.unreported <= rate.burstLimit / 8) return 0;
    const reported = count.unreported;
    count.unreported = 0;
    const shared = await report(key, reported, current);
    count.total = Math.max(count.total, shared + count.unreported);
    return shared > rate.burstLimit ? restMs : 0;
  };
}
