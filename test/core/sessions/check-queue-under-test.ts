import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { type CheckQueue, createCheckQueue } from '../../../core/sessions/check-queue.ts';

/** A queue of its own on a real engine. */
export interface QueueUnderTest {
  readonly url: string;
  readonly endpoint: string;
  readonly checks: CheckQueue;
  /** Waits for the next message, and deletes it. */
  readonly receive: () => Promise<{ readonly messageId: string; readonly body: string }>;
}

/** Starts an engine for the file, on loopback and a free port. */
export function useCheckQueue(): { create: () => Promise<QueueUnderTest> } {
  const region = 'us-east-1';
  const app = buildApp({ logger: false, defaultRegion: region });
  let endpoint: string;
  let sqs: SQSClient;
  beforeAll(async () => {
    endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    sqs = new SQSClient({ endpoint, region, credentials, useQueueUrlAsEndpoint: false });
  });
  afterAll(async () => {
    sqs.destroy();
    await app.close();
  });
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  });
  afterEach(() => vi.unstubAllEnvs());

  return {
    async create() {
      const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID() }));
      return {
        url,
        endpoint,
        checks: createCheckQueue({ url, region, endpoint }),
        async receive() {
          for (;;) {
            const { Messages: [message] = [] } = await sqs.send(
              new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }),
            );
            if (!message) continue;
            const { MessageId: messageId = '', Body: body = '', ReceiptHandle } = message;
            await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
            return { messageId, body };
          }
        },
      };
    },
  };
}
