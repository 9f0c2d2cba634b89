import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Refusal } from '../../protocol/index.ts';
import type { BusEvent, TableChange } from './define-change.ts';

/** The most that a message of SQS holds. */
const maxMessageBytes = 1_048_576;

/** A change that is given up. */
export interface DeadLetter {
  readonly itemIdentifier: string;
  readonly cause: unknown;
  /** `undefined`: the record is no change. */
  readonly change: TableChange | BusEvent | undefined;
}

export type DeadLetters = ReturnType<typeof createDeadLetters>;

/** The queue of changes that are given up. A letter holds the change and the error. */
export function createDeadLetters({ sqs, url }: { readonly sqs: SQSClient; readonly url: string }) {
  return {
    async add({ itemIdentifier, cause, change }: DeadLetter): Promise<void> {
      const letter = { itemIdentifier, error: errorOf(cause), change };
      const whole = JSON.stringify(letter);
      // Two images of 400 KB can be more than a message holds. What is left says which change it was.
      const MessageBody =
        Buffer.byteLength(whole) <= maxMessageBytes
          ? whole
          : JSON.stringify({
              ...letter,
              change: { ...change, before: undefined, after: undefined, detail: undefined },
            });
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    },
  };
}

function errorOf(cause: unknown): object {
  if (cause instanceof Refusal) return { code: cause.code, message: cause.message };
  return { message: cause instanceof Error ? cause.message : String(cause) };
}
