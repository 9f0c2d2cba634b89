import type * as z from 'zod/mini';
import { connectionId, name, topicName } from './names.ts';
import { parseWith } from './validation.ts';
import { type ErrorCode, Refusal } from './errors.ts';

/** Whom a publish is for, within one tenant. */
export type Target =
  | { readonly kind: 'session'; readonly connectionId: string }
  | { readonly kind: 'user'; readonly userType: string; readonly userId: string }
  | { readonly kind: 'type'; readonly userType: string }
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'everyone' };

export const targetForms = 'session:<connectionId>, user:<type>:<id>, type:<type>, topic:<name> or everyone';

/** Reads `user:member:42` and its kin. `field` is what the caller calls it, for the refusal it may throw. */
export function parseTarget(
  text: string,
  field: string,
  code: ErrorCode = 'bad_request',
  forms = targetForms,
): Target {
  const [kind, ...parts] = text.split(':');
  const read = (schema: z.ZodMiniType<string>, index: number) => parseWith(schema, parts[index], field, code);
  switch (`${kind ?? ''}/${String(parts.length)}`) {
    case 'session/1':
      return { kind: 'session', connectionId: read(connectionId, 0) };
    case 'user/2':
      return { kind: 'user', userType: read(name, 0), userId: read(name, 1) };
    case 'type/1':
      return { kind: 'type', userType: read(name, 0) };
    case 'topic/1':
      return { kind: 'topic', topic: read(topicName, 0) };
    case 'everyone/0':
      return { kind: 'everyone' };
    default: {
      const message = `must be ${forms}, got ${JSON.stringify(text.slice(0, 80))}`;
      throw new Refusal(code, `${field}: ${message}`, [{ field, message }]);
    }
  }
}

/** The text of a target, which is also the name of the channel it is. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'session':
      return `session:${target.connectionId}`;
    case 'user':
      return `user:${target.userType}:${target.userId}`;
    case 'type':
      return `type:${target.userType}`;
    case 'topic':
      return `topic:${target.topic}`;
    case 'everyone':
      return 'everyone';
  }
}
