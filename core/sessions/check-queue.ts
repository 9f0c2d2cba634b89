import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod/mini';
import { connectionId, name } from '../../protocol/index.ts';

/** A message of the queue: a session that is to be looked at when the message arrives. */
export interface SessionCheck {
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  readonly connectionId: string;
  /** Why the session ends now. Absent: it ends if its token has expired by then. */
  readonly code?: 'too_many_sessions' | undefined;
}

/** A check, and the seconds until it arrives. */
export interface DelayedCheck {
  readonly check: SessionCheck;
  readonly delaySeconds: number;
}

export interface CheckQueue {
  /** Throws if the queue did not take all of them. */
  send(checks: readonly DelayedCheck[]): Promise<void>;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html, DelaySeconds */
const maxDelaySeconds = 900;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const maxBatch = 10;

/** A handshake waits for its request, and for a second try if need be. */
const timeoutMs = 2_000;

const checkBody = z.object({
  tenant: name,
  userType: name,
  userId: name,
  connectionId,
  code: z.optional(z.literal('too_many_sessions')),
});

const answer = z.object({ Failed: z.optional(z.array(z.object({ Code: z.string() }))) });

/** Reads a message of the queue. Throws if it is no check. */
export function readCheck(body: string): SessionCheck {
  return z.parse(checkBody, JSON.parse(body));
}

/** The delay until a moment, or as long as the queue can wait. It is whole seconds, and never too short. */
export function delayUntil(epochMs: number, now: number): number {
  return Math.min(maxDelaySeconds, Math.max(0, Math.ceil((epochMs - now) / 1000)));
}

/**
 * The queue of sessions to look at. Each batch is one signed request, because the SDK's client for SQS would make the
 * bundle of `connect` a tenth larger.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
 */
export function createCheckQueue({
  url,
  region,
  endpoint: given,
}: {
  readonly url: string;
  readonly region: string;
  /** @default - the host of `url` */
  readonly endpoint?: string | undefined;
}): CheckQueue {
  const endpoint = new URL('/', given ?? url);
  const credentials = defaultProvider();
  const signer = new SignatureV4({ service: 'sqs', region, credentials, sha256: Sha256 });

  async function post(body: string): Promise<string> {
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: endpoint.protocol,
      hostname: endpoint.hostname,
      path: endpoint.pathname,
      headers: {
        host: endpoint.host,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.SendMessageBatch',
      },
      body,
    });
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(endpoint, { method: 'POST', headers, body, signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`SQS answered ${response.status}: ${text.slice(0, 1000)}`);
    return text;
  }

  /** Makes a second try. A message that arrives twice does no harm. */
  async function postAgain(body: string): Promise<string> {
    try {
      return await post(body);
    } catch {
      // Most faults of the network and of SQS pass at once. The second try rejects with its own error.
      return post(body);
    }
  }

  async function sendBatch(batch: readonly DelayedCheck[]): Promise<void> {
    const body = JSON.stringify({
      QueueUrl: url,
      Entries: batch.map(({ check, delaySeconds }, index) => ({
        Id: String(index),
        MessageBody: JSON.stringify(check),
        DelaySeconds: delaySeconds,
      })),
    });
    // A part of a batch may be refused (SendMessageBatch).
    const [failure] = z.parse(answer, JSON.parse(await postAgain(body))).Failed ?? [];
    if (failure) throw new Error(`The queue refused a message: ${failure.Code}.`);
  }

  return {
    async send(checks) {
      for (let at = 0; at < checks.length; at += maxBatch) await sendBatch(checks.slice(at, at + maxBatch));
    },
  };
}
