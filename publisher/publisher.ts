import type { ErrorDetail, PublishAnswer } from '../protocol/index.ts';
import { type AwsKeysProvider, sendSigned } from './signed-request.ts';

/** The stack's `PublishUrl`, or its `PublishFunctionName` and Region: invoking saves the price of an HTTP request. */
export type PublisherOptions = (
  | {
      readonly url: string;
      /** Needed behind a custom domain. @default - the Region in the URL's host */
      readonly region?: string;
    }
  | {
      readonly functionName: string;
      readonly region: string;
      /** @default - Lambda's own, `https://lambda.{region}.amazonaws.com` */
      readonly endpoint?: string;
    }
) & {
  /** Gives the AWS keys of each request. @default - the default AWS credential chain; on this machine the local keys */
  readonly credentials?: AwsKeysProvider;
  /** How long an answer may take. @default 30000 */
  readonly timeoutMs?: number;
};

/** One message to publish: the body of `POST /publish`. It is a frame with `type` and `content`, or bare `text`. */
export type OutgoingMessage = OutgoingOptions & (OutgoingFrame | OutgoingText);

/** A message that receivers get as a frame. */
interface OutgoingFrame {
  readonly type: string;
  /** Any JSON value. */
  readonly content: unknown;
  /** Stores the message in the channel's log before it is delivered, for those who are offline. */
  readonly durable?: boolean;
  /** How long the log keeps it. @default 604800, which is 7 days */
  readonly ttlSeconds?: number;
  readonly text?: undefined;
}

/** For front ends that take no frames. */
interface OutgoingText {
  /** Receivers get exactly this text. It is never durable. */
  readonly text: string;
  readonly type?: undefined;
  readonly content?: undefined;
  readonly durable?: undefined;
  readonly ttlSeconds?: undefined;
}

interface OutgoingOptions {
  /** `session:<connectionId>`, `user:<type>:<id>`, `type:<type>`, `topic:<name>` or `everyone`; or up to 100 of them. */
  readonly to: string | readonly string[];
  /** @default 'default' */
  readonly tenant?: string;
  /** The idempotency key, a UUID: the same id again within 24 hours publishes nothing and returns the first answer. */
  readonly messageId?: string;
  /** Connection ids that do not receive it. */
  readonly exclude?: readonly string[];
  /** What `GET /publications/{messageId}` reports afterwards. */
  readonly report?: 'counts' | 'recipients';
  /**
   * When it is delivered, at most 366 days ahead: epoch milliseconds, or a time with an offset such as
   * `2026-12-24T18:00:00+01:00`. The stack needs the setting `scheduledPublishes`. @default - now
   */
  readonly deliverAt?: number | string;
}

export interface Publisher {
  /**
   * Publishes once; nothing is retried. Give a `messageId` to retry safely.
   * Rejects with a `PublishError`; where no answer came, with the error of `fetch` or of the credential chain.
   */
  readonly publish: (message: OutgoingMessage) => Promise<PublishAnswer>;
  /**
   * Cancels a message with a `deliverAt`. Nobody gets it then. Cancelling twice succeeds.
   * Rejects with a `PublishError`: `not_found`, or `conflict` if its delivery has begun. Needs the option `url`.
   */
  readonly cancel: (messageId: string, options?: { readonly tenant?: string }) => Promise<void>;
}

/** The stack, or AWS in front of it, refused a publish. */
export class PublishError extends Error {
  override readonly name = 'PublishError';
  /** One of the stable codes of the protocol. `forbidden` or `internal` where AWS answered in place of the stack. */
  readonly code: string;
  /** One entry per wrong field. */
  readonly details: readonly ErrorDetail[];
  /** Of the HTTP answer. A direct invocation is refused with 200. */
  readonly status: number;

  constructor({ code, message, details }: ErrorBody, status: number) {
    super(message);
    this.code = code;
    this.details = details ?? [];
    this.status = status;
  }
}

/** Publishes from a service. The caller needs the rights that `Switchboard.grantPublish` gives. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { credentials, timeoutMs = 30_000 } = options;
  const target = targetOf(options);
  return {
    async publish(message) {
      const response = await sendSigned({
        ...target,
        method: 'POST',
        body: JSON.stringify(message),
        ...(credentials && { credentials }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return readAnswer(response.status, await response.text());
    },

    async cancel(messageId, { tenant } = {}) {
      if (target.service !== undefined)
        throw new TypeError('cancel needs the option url: it is a route of the HTTP API.');
      const url = new URL(`publications/${encodeURIComponent(messageId)}`, target.url);
      if (tenant !== undefined) url.searchParams.set('tenant', tenant);
      const response = await sendSigned({
        ...target,
        url,
        method: 'DELETE',
        ...(credentials && { credentials }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body = parseJson(await response.text()) as { cancelled?: true; error?: ErrorBody };
      if (!body.cancelled) throw new PublishError(body.error ?? awsRefusal(response.status), response.status);
    },
  };
}

function targetOf(options: PublisherOptions): { url: URL; service?: string; region?: string } {
  if ('url' in options) {
    const { url, region } = options;
    return { url: new URL(url), ...(region !== undefined && { region }) };
  }
  const { functionName, region, endpoint = `https://lambda.${region}.amazonaws.com` } = options;
  const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  return { url: new URL(path, endpoint), service: 'lambda', region };
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly ErrorDetail[];
}

/** A direct invocation is refused with 200, so the body decides and not the status. */
function readAnswer(status: number, text: string): PublishAnswer {
  const body = parseJson(text) as Partial<PublishAnswer> & { error?: ErrorBody };
  if (typeof body.messageId === 'string') return body as PublishAnswer;
  throw new PublishError(body.error ?? awsRefusal(status), status);
}

/** API Gateway and Lambda refuse in forms of their own, without a code. */
function awsRefusal(status: number): ErrorBody {
  if (status === 403) return { code: 'forbidden', message: 'AWS refused the signature or the caller (403).' };
  return { code: 'internal', message: `AWS answered ${String(status)} in place of the stack.` };
}

/** The object in a JSON text; an empty one where there is none. */
function parseJson(text: string): unknown {
  try {
    return Object(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return {};
  }
}
