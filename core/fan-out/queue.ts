import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { connectionId, formatTarget, name, parseTarget, type Target } from '../../protocol/index.ts';
import type { Outgoing } from '../content-form.ts';
import { readJson } from '../json.ts';
import { isWatch } from '../sessions/subscriptions/watches.ts';

/** The task to send one publication to one shard. */
export interface FanOutJob extends Outgoing {
  readonly tenant: string;
  readonly messageId: string;
  readonly to: readonly Target[];
  readonly exclude: readonly string[];
  /** Whether the outcome for each recipient is stored. */
  readonly reportsRecipients: boolean;
  readonly shard: number;
}

export type FanOutQueue = ReturnType<typeof createFanOutQueue>;

/** SQS takes 10 messages and 1 MiB in one call (quotas for messages). Half a MiB leaves room for the envelope. */
const maxBatch = { messages: 10, bytes: 512 * 1024 };

const jobBody = z.object({
  tenant: name,
  messageId: z.string(),
  to: z.array(z.string()),
  exclude: z.array(connectionId),
  frame: z.string(),
  form: z.optional(z.enum(['text', 'bare'])),
  reportsRecipients: z.boolean(),
  shard: z.int().check(z.gte(0)),
});

/** Reads a job. Throws if the body is not a job. */
export function readJob(body: string): FanOutJob {
  const job = readJson(jobBody, body, 'The job');
  return { ...job, to: job.to.map(readTarget) };
}

/** The topic of a watch is no target that a publish may name, so `parseTarget` refuses it. */
function readTarget(target: string): Target {
  const [kind, topic] = [target.slice(0, target.indexOf(':')), target.slice(target.indexOf(':') + 1)];
  return kind === 'topic' && isWatch(topic) ? { kind, topic } : parseTarget(target, 'to');
}

export function createFanOutQueue({ sqs, url }: { sqs: SQSClient; url: string }) {
  return {
    /** Lets the queue deliver a failed job again after so many seconds, before its visibility timeout ends. */
    async retryIn(receiptHandle: string, seconds: number): Promise<void> {
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    },

    /** Sends jobs to the queue. Throws if the queue did not take all of them. */
    async send(jobs: readonly FanOutJob[]): Promise<void> {
      for (const batch of batches(jobs)) {
        const { Failed } = await sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: url,
            Entries: batch.map(({ job, body }) => ({
              Id: String(job.shard),
              MessageBody: body,
              // Keeps one tenant's broadcast from delaying another's (SQS, fair queues).
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

/** Escapes the characters that SQS refuses (SendMessageBatch, message characters). The JSON means the same. */
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
