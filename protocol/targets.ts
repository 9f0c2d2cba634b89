import type * as z from 'zod/mini';
import { type ErrorCode, Refusal } from './errors.ts';
import type { ChannelTarget, Target } from './messages/targets.ts';
import { connectionId, name, topicName } from './names.ts';
import { parseWith } from './validation.ts';

const channelForms = 'user:<type>:<id>, type:<type>, topic:<name> or everyone';
export const targetForms = `session:<connectionId>, ${channelForms}`;

/** Reads a target such as `user:member:42`. `field` is the caller's name for it, used in the refusal. */
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
    default:
      throw Refusal.at(code, field, `must be ${forms}, got ${JSON.stringify(text.slice(0, 80))}`);
  }
}

/** Reads the name of a channel. `field` is the caller's name for it, used in the refusal. */
export function parseChannel(text: string, field: string, code: ErrorCode = 'bad_request'): ChannelTarget {
  const target = parseTarget(text, field, code, channelForms);
  if (target.kind !== 'session') return target;
  throw Refusal.at(code, field, `must be ${channelForms}; a session keeps no log`);
}

/** The text of a target, which is also the name of its channel. */
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
