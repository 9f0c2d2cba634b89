import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { name, topicName } from '../../protocol/index.ts';
import { readJson } from '../json.ts';
import type { Subject } from './subjects.ts';

/** Looks again whether a subject is present. */
export interface Look {
  readonly kind: 'look';
  readonly subject: Subject;
}

/** Looks for the connections of a watched user, or of the subscribers of a watched topic. */
export interface Probe {
  readonly kind: 'probe';
  readonly tenant: string;
  readonly watched: { readonly kind: 'user' | 'topic'; readonly name: string };
  /** When this message is due. The row of the watch names the one message that counts. */
  readonly dueAt: number;
  /** In a topic: where the page begins, and when its round began. */
  readonly page?:
    { readonly shard: number; readonly after?: string | undefined; readonly beganAt: number } | undefined;
}

export type PresenceTask = Look | Probe;

export interface PresenceQueue {
  /** Delays are rounded up to whole seconds. */
  send(task: PresenceTask, delayMs: number): Promise<void>;
}

const task = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('look'),
    subject: z.object({
      user: z.object({ tenant: name, userType: name, userId: name }),
      topic: z.optional(topicName),
    }),
  }),
  z.object({
    kind: z.literal('probe'),
    tenant: name,
    watched: z.object({ kind: z.enum(['user', 'topic']), name: z.string() }),
    dueAt: z.number(),
    page: z.optional(z.object({ shard: z.number(), after: z.optional(z.string()), beganAt: z.number() })),
  }),
]);

/** Reads a message of the queue. Throws if it is no task. */
export function readPresenceTask(body: string): PresenceTask {
  return readJson(task, body, 'The task');
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html, DelaySeconds */
const maxDelaySeconds = 900;

export function createPresenceQueue(sqs: SQSClient, url: string): PresenceQueue {
  return {
    async send(sent, delayMs) {
      const DelaySeconds = Math.min(maxDelaySeconds, Math.max(0, Math.ceil(delayMs / 1000)));
      await sqs.send(
        new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(sent), DelaySeconds }),
      );
    },
  };
}
