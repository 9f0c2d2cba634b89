import type { Target } from './targets.ts';

/** The body of `POST /publish` after it was read: targets are parsed, defaults are filled in. */
export type PublishRequest = PublishOptions & (FrameMessage | TextMessage);

/** A message that receivers get as a frame. */
interface FrameMessage {
  readonly type: string;
  readonly content: unknown;
  readonly text?: undefined;
}

/** Bare text, which receivers get as it is. It is never durable. */
interface TextMessage {
  readonly text: string;
  readonly type?: undefined;
  readonly content?: undefined;
}

interface PublishOptions {
  readonly to: readonly Target[];
  readonly tenant: string;
  readonly messageId?: string | undefined;
  /** True: the message is stored in the channel's log before it is delivered. */
  readonly durable?: boolean | undefined;
  /** How long the log keeps it. */
  readonly ttlSeconds?: number | undefined;
  /** Connections that get nothing, even if a target names them. */
  readonly exclude: readonly string[];
  readonly report?: 'counts' | 'recipients' | undefined;
  /** When it is delivered, in epoch milliseconds. Absent: now. */
  readonly deliverAt?: number | undefined;
}

/** The answer of a publish that was delivered at once. The three counts add up to the audience. */
export interface Delivered {
  readonly messageId: string;
  readonly status: 'delivered';
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
  /** The message's place in the channel's log, where it is durable. */
  readonly offset?: number;
  /** Why nobody got it, where the tenant, the user type or the topic may be misspelt. For people; it may change. */
  readonly hint?: string;
}

/** The answer of a publish that was handed to the fan-out: one job per shard. */
export interface Accepted {
  readonly messageId: string;
  readonly status: 'accepted';
  readonly shards: number;
  readonly offset?: number;
}

/** The answer of a publish that is delivered later. */
export interface Scheduled {
  readonly messageId: string;
  readonly status: 'scheduled';
  /** Epoch milliseconds. */
  readonly deliverAt: number;
}

/** The answer of a publish that was not scheduled. */
export type DeliveryAnswer = Delivered | Accepted;

export type PublishAnswer = DeliveryAnswer | Scheduled;

/** The progress of a publication, or of one of its shards. `pending` is an estimate until the end, and then 0. */
export interface DeliveryCounts {
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
  readonly pending: number;
}

export type DeliveryStatus = 'delivering' | 'done' | 'failed';

/** One shard of a publication. Times are epoch milliseconds. */
export interface PublicationShard extends DeliveryCounts {
  readonly shard: number;
  readonly status: DeliveryStatus;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/** One publish and its outcome. Its counts are the sums of its shards' counts. Times are epoch milliseconds. */
export interface Publication extends DeliveryCounts {
  readonly messageId: string;
  readonly status: DeliveryStatus | 'scheduled' | 'cancelled';
  /** Empty where the publish was delivered at once. */
  readonly shards: readonly PublicationShard[];
  /** Of a scheduled message that was not sent: when it was scheduled. */
  readonly startedAt: number;
  readonly finishedAt?: number;
  /** The time that the publish was scheduled for. */
  readonly deliverAt?: number;
}

/** The outcome for one recipient. It is kept where the publish asked for `report: "recipients"`. */
export interface RecipientReport {
  readonly connectionId: string;
  readonly userType: string;
  readonly userId: string;
  readonly outcome: 'delivered' | 'gone' | 'failed';
  /** Why it failed. */
  readonly reason?: string;
}
