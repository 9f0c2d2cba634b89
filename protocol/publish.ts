import * as z from 'zod/mini';
import { maxExclusions, maxRetentionSeconds, maxTargets } from './limits.ts';
import { connectionId, defaultTenant, name } from './names.ts';
import { publishType } from './frames.ts';
import type { PublishRequest } from './messages/publish.ts';
import { parseTarget } from './targets.ts';
import { parseWith, refuseTooDeep } from './validation.ts';

const targetCount = `must hold 1 to ${String(maxTargets)} targets`;

const retention = `must be 1 to ${String(maxRetentionSeconds)} seconds`;

/** Without an offset, the moment would depend on whose clock reads it. */
const isoForm = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Epoch milliseconds, or ISO 8601. The schema of zod for it would make every bundle larger. */
const time = z.pipe(
  z.custom<number | string>(
    (given) => Number.isSafeInteger(given) || (typeof given === 'string' && isTime(given)),
    'must be epoch milliseconds, or a time with an offset such as 2026-12-24T18:00:00+01:00',
  ),
  z.transform((given) => (typeof given === 'number' ? given : Date.parse(given))),
);

const options = {
  to: z.union([
    z.string(),
    z.array(z.string()).check(z.minLength(1, targetCount), z.maxLength(maxTargets, targetCount)),
  ]),
  tenant: z.optional(name),
  // Lower case, so that receivers can compare ids as text (RFC 9562, section 4).
  messageId: z.optional(z.guid('must be a UUID').check(z.toLowerCase())),
  exclude: z._default(
    z
      .array(connectionId)
      .check(z.maxLength(maxExclusions, `must hold at most ${String(maxExclusions)} connection ids`)),
    [],
  ),
  report: z.optional(z.enum(['counts', 'recipients'])),
  deliverAt: z.optional(time),
};

const frameBody = z.strictObject({
  ...options,
  type: publishType,
  content: z.unknown(),
  durable: z.optional(z.boolean()),
  ttlSeconds: z.optional(z.int().check(z.gte(1, retention), z.lte(maxRetentionSeconds, retention))),
});

const withFrame = z.optional(z.undefined('must be left out with text'));
const ifKept = z.optional(z.literal(false, 'must be left out with text, which is not kept'));

const textBody = z.strictObject({
  ...options,
  // API Gateway takes no empty message (PostToConnection).
  text: z.string().check(z.minLength(1, 'must not be empty')),
  type: withFrame,
  content: withFrame,
  durable: ifKept,
  ttlSeconds: z.optional(z.undefined('must be left out with text, which is not kept')),
});

/**
 * Reads the body of a publish. Throws a `bad_request` that names the field and what is allowed. `tenantOf` returns the
 * tenant of a request that names this one, or none.
 */
export function readPublishRequest(
  body: unknown,
  tenantOf: (asked: string | undefined) => string = (asked = defaultTenant) => asked,
): PublishRequest {
  const isText = typeof body === 'object' && body !== null && 'text' in body;
  const request = isText
    ? parseWith(textBody, body, '', 'bad_request')
    : parseWith(frameBody, body, '', 'bad_request');
  refuseTooDeep(request.content, 'bad_request', 'content');
  const to = Array.isArray(request.to)
    ? request.to.map((target, index) => parseTarget(target, `to[${String(index)}]`))
    : [parseTarget(request.to, 'to')];
  return { ...request, to, tenant: tenantOf(request.tenant) };
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
function isTime(text: string): boolean {
  const [, date = ''] = isoForm.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00:00Z`);
  return (
    !Number.isNaN(Date.parse(text)) && !Number.isNaN(day) && new Date(day).toISOString().startsWith(date)
  );
}
