import type { Logger } from '@aws-lambda-powertools/logger';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { formatTarget, type Target } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import { isWatch } from './subscriptions/watches.ts';

export interface SeenOptions {
  readonly db: DynamoDBDocumentClient;
  /** The state table. */
  readonly table: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** A user type, or a topic. Without one, the tenant itself. */
type Name = Extract<Target, { readonly kind: 'type' | 'topic' }> | undefined;

const dayMs = 24 * 60 * 60 * 1000;
const keptDays = 30;

/** So many names are in the memory of a function environment. Above it the memory begins again. */
const maxNames = 10_000;

/** So many targets of one publish are looked up. */
const maxLookups = 10;

export type Seen = ReturnType<typeof createSeen>;

/**
 * The tenants, user types and topics that had a session in the last 30 days, so that a publish to a misspelt one can say
 * so. Each function environment remembers what it has written or read. So it writes a name once a day.
 */
export function createSeen({ db, table, clock, logger }: SeenOptions) {
  const written = createDailyMemory(clock);
  // Apart from those that were written: a name that is only read is not renewed.
  const read = createDailyMemory(clock);

  async function write(key: string): Promise<void> {
    const expiresAt = Math.ceil(clock.now() / 1000) + keptDays * 24 * 60 * 60;
    await db.send(new PutCommand({ TableName: table, Item: { pk: key, sk: 'SEEN', expiresAt } }));
  }

  async function isSeen(key: string): Promise<boolean> {
    if (read.has(key)) return true;
    const { Item } = await db.send(new GetCommand({ TableName: table, Key: { pk: key, sk: 'SEEN' } }));
    const found = Item !== undefined && Number(Item.expiresAt) * 1000 > clock.now();
    if (found) read.add(key);
    return found;
  }

  return {
    /** Notes the names. A failure is logged only, because hints are worth no handshake and no subscription. */
    async note(tenant: string, names: readonly Name[]): Promise<void> {
      const keys = names.map((name) => seenKey(tenant, name)).filter((key) => !written.has(key));
      for (const key of keys) written.add(key);
      try {
        await Promise.all(keys.map(write));
      } catch (cause) {
        for (const key of keys) written.delete(key);
        logger.warn('a tenant, user type or topic was not noted as seen', { cause });
      }
    },

    /** Says which name of the targets no session had. `undefined`: all of them were seen. */
    async hint(tenant: string, to: readonly Target[]): Promise<string | undefined> {
      // Nobody reads the answer of what goes to watchers, and watches are not noted.
      if (to.every((target) => target.kind === 'topic' && isWatch(target.topic))) return undefined;
      try {
        if (!(await isSeen(seenKey(tenant, undefined)))) return never(`tenant \`${tenant}\``, 'tenant');
        const names = new Map(to.flatMap(nameOf).map((name) => [seenKey(tenant, name), name]));
        const lookups = [...names].slice(0, maxLookups);
        const found = await Promise.all(lookups.map(([key]) => isSeen(key)));
        const name = lookups.find((_, index) => !found[index])?.[1];
        if (name?.kind === 'type') return never(`user type \`${name.userType}\``, 'user type');
        return name && neverSubscribed(name.topic);
      } catch (cause) {
        logger.warn('a hint was not looked up', { cause });
        return undefined;
      }
    },
  };
}

/** Names that are forgotten at the end of the day, or when there are too many. */
function createDailyMemory(clock: Pick<Clock, 'now'>) {
  let day = 0;
  const names = new Set<string>();
  function ofToday(): Set<string> {
    const today = Math.floor(clock.now() / dayMs);
    if (today !== day || names.size >= maxNames) names.clear();
    day = today;
    return names;
  }
  return {
    has: (name: string) => ofToday().has(name),
    add: (name: string) => void ofToday().add(name),
    delete: (name: string) => void names.delete(name),
  };
}

/** Each name has its own partition, because one partition takes 1,000 writes a second. No name holds a `#`. */
export function seenKey(tenant: string, name: Name): string {
  return name ? `SEEN#${tenant}#${formatTarget(name)}` : `SEEN#${tenant}`;
}

function nameOf(target: Target): NonNullable<Name>[] {
  if (target.kind === 'topic') return [target];
  return 'userType' in target ? [{ kind: 'type', userType: target.userType }] : [];
}

function never(of: string, what: string): string {
  return `No session of the ${of} was opened in the last ${keptDays} days; is the ${what} right?`;
}

function neverSubscribed(topic: string): string {
  return `No session has subscribed to the topic \`${topic}\` in the last ${keptDays} days; is the topic right?`;
}
