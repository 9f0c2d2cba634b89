import { asList, asRecord, asText, isRecord } from '../json.ts';

/** A batch has at most 6 MB, however many records it may have. */
export const maxBatchBytes = 6 * 1024 * 1024;

export function recordBytes(record: unknown): number {
  return Buffer.byteLength(JSON.stringify(record));
}

/** Cuts records into batches. */
export function batchesOf<T>(records: readonly T[], batchSize: number): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = recordBytes(record);
    const last = batches.at(-1);
    if (last === undefined || last.length >= batchSize || bytes + size > maxBatchBytes) {
      batches.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return batches;
}

/**
 * The ids that a partial response reports as failed. An empty or null list means that all succeeded; a malformed list or
 * an unknown id means that all failed. Queues and streams have the same rules.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function reportedFailures(payload: unknown, ids: readonly string[]): ReadonlySet<string> {
  const known = new Set(ids);
  const failures = failedIds(payload);
  return failures?.every((id) => known.has(id)) ? new Set(failures) : known;
}

function failedIds(payload: unknown): readonly string[] | undefined {
  if (payload === null || payload === undefined) return [];
  if (!isRecord(payload)) return undefined;
  const { batchItemFailures: failures } = payload;
  if (failures === null || failures === undefined) return [];
  if (!Array.isArray(failures)) return undefined;
  const ids = asList(failures).map((failure) => asText(asRecord(failure).itemIdentifier) ?? '');
  return ids.includes('') ? undefined : ids;
}
