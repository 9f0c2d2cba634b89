import * as z from 'zod/mini';
import { maxExclusions, maxRetentionSeconds, maxTargets } from './limits.ts';
import { connectionId, defaultTenant, name } from './names.ts';
import { publishType } from './frames.ts';
import type { PublishRequest } from './messages/publish.ts';
import { parseTarget } from './targets.ts';
import { parseWith, refuseTooDeep } from './validation.ts';

const targetCount = `must hold 1 to ${String(maxTargets)} targets`;

const retention = `must be 1 to ${String(maxRetentionSeconds)} seconds`;

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
