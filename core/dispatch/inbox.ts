import * as z from 'zod/mini';
import {
  formatTarget,
  type Identity,
  maxPageMessages,
  readPublishRequest,
  Refusal,
} from '../../protocol/index.ts';
import type { LogId } from '../log/items.ts';
import type { ListChannel } from '../log/list.ts';
import type { ChannelLog } from '../log/append.ts';
import type { Inbox } from '../log/inbox.ts';
import { defineListener, type Listener } from './listener.ts';
import type { Publish } from '../publish/publish.ts';

export interface InboxParts {
  readonly channelLog: Pick<ChannelLog, 'head'>;
  readonly listChannel: ListChannel;
  readonly inbox: Inbox;
  readonly publish: Publish;
}

/** The answer is one frame; a message that is larger comes alone. */
const maxListBytes = 60 * 1024;

const limit = `must be 1 to ${String(maxPageMessages)}`;

/** The frames of a user's inbox: what is kept on the user's own channel, and how far it is read. */
export function createInboxListeners(parts: InboxParts): readonly Listener[] {
  const { channelLog, listChannel, inbox, publish } = parts;

  /** An object always: devices that do not send their content as a string get this too. */
  async function tell({ tenant, channel }: LogId, from: Identity, readOffset: number): Promise<void> {
    const request = { to: channel, type: 'inbox-read', content: { readOffset }, tenant };
    await publish(readPublishRequest(request), from);
  }

  return [
    defineListener({
      type: 'inbox-list',
      content: z._default(
        z.object({
          after: z._default(z.int().check(z.gte(0)), 0),
          limit: z._default(z.int().check(z.gte(1, limit), z.lte(maxPageMessages, limit)), 100),
        }),
        { after: 0, limit: 100 },
      ),
      async handle({ content, from }) {
        const log = inboxOf(from);
        const head = await channelLog.head(log);
        const page = await listChannel({ log, head, ...content, maxBytes: maxListBytes });
        return { ...page, readOffset: head ? await inbox.readOffset(log, head) : 0 };
      },
    }),

    defineListener({
      type: 'inbox-unread',
      content: z.nullish(z.object({})),
      async handle({ from }) {
        const log = inboxOf(from);
        const head = await channelLog.head(log);
        return head ? inbox.count(log, head, await inbox.readOffset(log, head)) : { unread: 0 };
      },
    }),

    defineListener({
      type: 'inbox-mark-read',
      content: z.object({ offset: z.int().check(z.gte(0)) }),
      async handle({ content: { offset }, from }) {
        const log = inboxOf(from);
        const head = await channelLog.head(log);
        const newest = head?.offset ?? 0;
        if (offset > newest) {
          const message = `must be at most ${String(newest)}, the newest message's`;
          throw new Refusal('bad_content', `content.offset: ${message}`, [
            { field: 'content.offset', message },
          ]);
        }
        if (!head) return { readOffset: 0 };
        const isMoved = offset > 0 && (await inbox.moveTo(log, head, offset));
        const readOffset = isMoved ? offset : await inbox.readOffset(log, head);
        // The user's other devices learn of it at once, and so does this one's own code; again where it is said again,
        // for the first time may have failed here.
        if (offset > 0 && offset === readOffset) await tell(log, from, readOffset);
        return { readOffset };
      },
    }),
  ];
}

function inboxOf({ tenant, userType, userId }: Identity): LogId {
  return { tenant, channel: formatTarget({ kind: 'user', userType, userId }) };
}
