import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { connectionId, formatTarget, name, parseTarget, type Target } from '../../protocol/index.ts';

/** One shard of a publication, to be sent to. */
export interface FanOutJob {
  readonly tenant: string;
  readonly messageId: string;
  readonly to: readonly Target[];
  readonly exclude: readonly string[];
  /** The frame as receivers get it. */
  readonly frame: string;
  /** A row per recipient is kept, with what became of it. */
  readonly reportsRecipients: boolean;
  readonly shard: number;
}

export type FanOutQueue = ReturnType<typeof createFanOutQueue>;

/** SQS takes 10 messages and 1 MiB in one call (quotas for messages); half of that leaves room for the envelope. */
const maxBatch = { messages: 10, bytes: 512 * 1024 };

const jobBody = z.object({
  tenant: name,
  messageId: z.string(),
  to: z.array(z.string()),
  exclude: z.array(connectionId),
  frame: z.string(),
  reportsRecipients: z.boolean(),
  shard: z.int().check(z.gte(0)),
});

/** Reads a job; throws where the body is none. */
export function readJob(body: string): FanOutJob {
  const job = z.parse(jobBody, JSON.parse(body));
  return { ...job, to: job.to.map((target) => parseTarget(target, 'to')) };
}

export function createFanOutQueue({ sqs, url }: { sqs: SQSClient; url: string }) {
  return {
    /** Has a job that failed handed out again after so many seconds, and not only when its visibility timeout ends. */
    async retryIn(receiptHandle: string, seconds: number): Promise<void> {
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    },

    /** Hands jobs to the workers; throws where the queue did not take all of them. */
    async send(jobs: readonly FanOutJob[]): Promise<void> {
      for (const batch of batches(jobs)) {
        const { Failed } = await sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: url,
            Entries: batch.map(({ job, body }) => ({
              Id: String(job.shard),
              MessageBody: body,
              // Fair queues: one tenant's broadcast does not delay the others' (SQS, fair queues).
              MessageGroupId: job.tenant,
            })),
          }),
        );
        const [failure] = Failed ?? [];
        if (failure) throw new Error(`The queue refused a job: ${failure.Code ?? 'unknown'}.`);
      }
    },
  };
}

/** The same JSON. SQS refuses some characters (SendMessageBatch, message characters): those are escaped, and their like. */
function acceptableOf(json: string): string {
  return json.replace(/[\ud800-\udfff\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}

function* batches(jobs: readonly FanOutJob[]) {
  let batch: { job: FanOutJob; body: string }[] = [];
  let bytes = 0;
  for (const job of jobs) {
    const body = acceptableOf(JSON.stringify({ ...job, to: job.to.map(formatTarget) }));
    const size = Buffer.byteLength(body);
    if (batch.length > 0 && (batch.length === maxBatch.messages || bytes + size > maxBatch.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push({ job, body });
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
