import type { OutgoingMessage } from '../../publisher/publisher.ts';
import { readPublishRequest } from '../../protocol/index.ts';
import { type Clock, systemClock } from '../clock.ts';
import { durabilityOf } from '../publish/durability.ts';
import { refuseTooLarge } from '../publish/message.ts';

/** The attribute that makes an item one of the outbox. It holds the body of a publish, as JSON. */
export const outboxAttribute = 'switchboardOutbox';

/** The stream has the item at once, so a day is long enough to look at it. */
const keptSeconds = 24 * 60 * 60;

export interface OutboxItemOptions {
  /** The name of the table's partition key, which holds text. @default 'pk' */
  readonly partitionKey?: string;
  /** The name of the table's sort key, which holds text. In a table without one, it is an attribute. @default 'sk' */
  readonly sortKey?: string;
  /** The name of the table's time-to-live attribute. @default 'expiresAt' */
  readonly timeToLive?: string;
  /** Time and ids, for tests. @default - those of the system */
  readonly clock?: Pick<Clock, 'now' | 'newId'>;
}

/**
 * The item of a message in the outbox. Put it in the transaction that writes what the message tells of: both are written,
 * or neither. `PublishOnChange.outbox` publishes it. Throws a `Refusal` for a message that no publish would take.
 */
export function outboxItem(
  message: OutgoingMessage,
  options: OutboxItemOptions = {},
): Record<string, string | number> {
  const { partitionKey = 'pk', sortKey = 'sk', timeToLive = 'expiresAt', clock = systemClock } = options;
  const { messageId = clock.newId() } = message;
  const body = JSON.stringify({ ...message, messageId });
  const request = readPublishRequest(JSON.parse(body));
  refuseTooLarge({ request, messageId, from: undefined, durability: durabilityOf(request, []) });
  return {
    [partitionKey]: `switchboard-outbox#${messageId}`,
    [sortKey]: 'message',
    [timeToLive]: Math.floor(clock.now() / 1000) + keptSeconds,
    [outboxAttribute]: body,
  };
}
