import { type ListenerContext, Refusal } from 'switchboard/listener';
import { name, parseTarget } from 'switchboard/protocol';

type Caller = Pick<ListenerContext<unknown>, 'from' | 'topics'>;

/** A user may send to any user of the tenant, and to the topics that the token allows. */
export function requireSendTo(to: string, { topics }: Caller): void {
  const field = 'content.to';
  const target = parseTarget(to, field, 'bad_content', 'user:<type>:<id> or topic:<name>');
  if (target.kind === 'user') return;
  if (target.kind !== 'topic')
    throw Refusal.at('bad_content', field, 'must be user:<type>:<id> or topic:<name>');
  if (!topics.allows(target.topic))
    throw Refusal.at('forbidden', field, 'is a topic that your token does not allow');
}

/** Whether a user may read what was sent to a target: it is the user, or a topic that the token allows. */
export function mayRead(to: string, { from, topics }: Caller): boolean {
  if (to === `user:${from.userType}:${from.userId}`) return true;
  return to.startsWith('topic:') && topics.allows(to.slice('topic:'.length));
}

/** The user who uploads under a key, by its folder. Names have no slash. */
export function folderOf({ tenant, userType, userId }: Caller['from']): string {
  return `pictures/${tenant}/${userType}/${userId}/`;
}

/** Whether the key is of the tenant of the user. */
export function isOfTenant(key: string, { tenant }: Caller['from']): boolean {
  return name.safeParse(tenant).success && key.startsWith(`pictures/${tenant}/`);
}
