import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { readJson } from '../json.ts';
import { lifecycleRetrySeconds } from '../timing.ts';
import type { LifecycleEvent } from './event.ts';

/** An event that a target did not take. */
export interface Retry {
  /** The target's id. */
  readonly target: string;
  readonly event: LifecycleEvent;
}

export type RetryQueue = ReturnType<typeof createRetryQueue>;

const session = z.object({
  connectionId: z.string(),
  connectedAt: z.number(),
  tokenExpiresAt: z.number(),
});

const retryBody = z.object({
  target: z.string(),
  event: z.object({
    kind: z.enum(['connected', 'disconnected']),
    messageId: z.string(),
    from: z.object({ tenant: z.string(), userType: z.string(), userId: z.string() }),
    session,
    sentAt: z.number(),
    code: z.optional(z.number()),
    reason: z.optional(z.string()),
  }),
});

/** Reads a message of the queue. Throws if it is no retry. */
export function readRetry(body: string): Retry {
  return readJson(retryBody, body, 'The retry');
}

/** The queue of events that wait for another try, each for one target. */
export function createRetryQueue({ sqs, url }: { readonly sqs: SQSClient; readonly url: string }) {
  return {
    async add(retry: Retry): Promise<void> {
      const MessageBody = JSON.stringify(retry);
      const DelaySeconds = lifecycleRetrySeconds[0];
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody, DelaySeconds }));
    },

    /** Lets the queue deliver a message again after the pause that follows this many tries. */
    async postpone(receiptHandle: string, tries: number): Promise<void> {
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: receiptHandle,
          // No pause after the last try, so that the queue moves the message to the dead letters at once.
          VisibilityTimeout: lifecycleRetrySeconds[tries] ?? 0,
        }),
      );
    },
  };
}
