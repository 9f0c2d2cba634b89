import * as z from 'zod/mini';
import { Refusal } from './errors.ts';
import { maxContentDepth, maxExclusions, maxRetentionSeconds, maxTargets } from './limits.ts';
import { connectionId, defaultTenant, name } from './names.ts';
import { publishType } from './frames.ts';
import { parseTarget, type Target } from './targets.ts';
import { parseWith } from './validation.ts';

const targetCount = `must hold 1 to ${String(maxTargets)} targets`;

const retention = `must be 1 to ${String(maxRetentionSeconds)} seconds`;

const requestBody = z.strictObject({
  to: z.union([
    z.string(),
    z.array(z.string()).check(z.minLength(1, targetCount), z.maxLength(maxTargets, targetCount)),
  ]),
  type: publishType,
  content: z.unknown(),
  tenant: z._default(name, defaultTenant),
  // In lower case, so that receivers who compare ids see one (RFC 9562, section 4).
  messageId: z.optional(z.guid('must be a UUID').check(z.toLowerCase())),
  durable: z.optional(z.boolean()),
  ttlSeconds: z.optional(z.int().check(z.gte(1, retention), z.lte(maxRetentionSeconds, retention))),
  exclude: z._default(
    z
      .array(connectionId)
      .check(z.maxLength(maxExclusions, `must hold at most ${String(maxExclusions)} connection ids`)),
    [],
  ),
  report: z.optional(z.enum(['counts', 'recipients'])),
});

/** The body of `POST /publish`, read: defaults are filled in and targets parsed. */
export interface PublishRequest {
  readonly to: readonly Target[];
  readonly type: string;
  readonly content: unknown;
  readonly tenant: string;
  readonly messageId?: string | undefined;
  /** Kept in the channel's log before it is delivered. */
  readonly durable?: boolean | undefined;
  /** For how long it is kept there. */
  readonly ttlSeconds?: number | undefined;
  /** Connections that get nothing, although a target names them. */
  readonly exclude: readonly string[];
  readonly report?: 'counts' | 'recipients' | undefined;
}

/** Reads a publish body; throws a `bad_request` that names the field and the limit. */
export function readPublishRequest(body: unknown): PublishRequest {
  const request = parseWith(requestBody, body, '', 'bad_request');
  refuseTooDeep(request.content);
  const to = Array.isArray(request.to)
    ? request.to.map((target, index) => parseTarget(target, `to[${String(index)}]`))
    : [parseTarget(request.to, 'to')];
  return { ...request, to };
}

/** Level by level, for a recursion would end where this is to protect. */
function refuseTooDeep(content: unknown): void {
  let level: object[] = [content].filter(isContainer);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxContentDepth) {
      const message = `must be nested at most ${String(maxContentDepth)} levels deep`;
      throw new Refusal('bad_request', `content: ${message}`, [{ field: 'content', message }]);
    }
    level = level.flatMap((value): unknown[] => Object.values(value)).filter(isContainer);
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The answer of a publish whose audience was sent to at once. The three counts add up to the audience. */
export interface Delivered {
  readonly messageId: string;
  readonly status: 'delivered';
  readonly delivered: number;
  readonly gone: number;
  readonly failed: number;
  /** Its place in the channel's log, where it is durable. */
  readonly offset?: number;
}

/** The answer of a publish that was handed to the fan-out: one job per shard. */
export interface Accepted {
  readonly messageId: string;
  readonly status: 'accepted';
  readonly shards: number;
  readonly offset?: number;
}

export type PublishAnswer = Delivered | Accepted;

/** How far a publication, or one shard of it, has come. `pending` is an estimate until it has ended, and then 0. */
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

/** What became of a publication; the shards' counts add up to its own. Times are epoch milliseconds. */
export interface Publication extends DeliveryCounts {
  readonly messageId: string;
  readonly status: DeliveryStatus;
  /** Empty where the audience was sent to at once. */
  readonly shards: readonly PublicationShard[];
  readonly startedAt: number;
  readonly finishedAt?: number;
}

/** What became of one recipient, kept where the publish asked for `report: "recipients"`. */
export interface RecipientReport {
  readonly connectionId: string;
  readonly userType: string;
  readonly userId: string;
  readonly outcome: 'delivered' | 'gone' | 'failed';
  /** Why it failed. */
  readonly reason?: string;
}
