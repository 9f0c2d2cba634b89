import * as z from 'zod/mini';
import {
  formatTarget,
  type Identity,
  maxPageMessages,
  readPublishRequest,
  Refusal,
} from '../../protocol/index.ts';
import type { Inbox } from '../log/inbox.ts';
import { listMessages } from '../log/list.ts';
import type { LogReader, Logs } from '../log/log.ts';
import type { Publish } from '../publish/publish.ts';
import { defineProtocolListener, type Listener } from './listener.ts';

export interface InboxParts {
  readonly logs: Pick<Logs, 'open'>;
  readonly inbox: Inbox;
  readonly publish: Publish;
}

/** The answer is one frame. A larger message comes alone. */
const maxListBytes = 60 * 1024;

const limit = `must be 1 to ${maxPageMessages}`;

/** The frames of a user's inbox: the log of the user's own channel, and how far the user has read it. */
export function createInboxListeners({ logs, inbox, publish }: InboxParts): readonly Listener[] {
  function openLog({ tenant, userType, userId }: Identity): Promise<LogReader> {
    return logs.open({ tenant, channel: formatTarget({ kind: 'user', userType, userId }) });
  }

  /** Tells all devices of the user. The content is always an object, because devices differ in what they send. */
  async function announce({ id }: LogReader, from: Identity, readOffset: number): Promise<void> {
    const content = { readOffset };
    const request = { to: id.channel, type: 'inbox-read', content, tenant: id.tenant };
    await publish(readPublishRequest(request), from);
  }

  return [
    defineProtocolListener({
      type: 'inbox-list',
      content: z._default(
        z.object({
          after: z._default(z.int().check(z.gte(0)), 0),
          limit: z._default(z.int().check(z.gte(1, limit), z.lte(maxPageMessages, limit)), 100),
        }),
        { after: 0, limit: 100 },
      ),
      async handle({ content, from, contentAs }) {
        const log = await openLog(from);
        const { after, limit } = content;
        const page = await listMessages(log, { after }, { limit, maxBytes: maxListBytes, contentAs });
        return { ...page, readOffset: await inbox.readOffset(log) };
      },
    }),

    defineProtocolListener({
      type: 'inbox-unread',
      content: z.nullish(z.object({})),
      async handle({ from }) {
        const log = await openLog(from);
        return inbox.count(log, await inbox.readOffset(log));
      },
    }),

    defineProtocolListener({
      type: 'inbox-mark-read',
      content: z.object({ offset: z.int().check(z.gte(0)) }),
      async handle({ content: { offset }, from }) {
        const log = await openLog(from);
        if (offset > log.newest) {
          const message = `must be at most ${log.newest}, the offset of the newest message`;
          throw Refusal.at('bad_content', 'content.offset', message);
        }
        const before = await inbox.readOffset(log);
        if (offset <= before) return { readOffset: before };
        const isMoved = await inbox.moveTo(log, offset);
        // Otherwise another device has just marked as far, and announces it.
        if (isMoved) await announce(log, from, offset);
        return { readOffset: isMoved ? offset : await inbox.readOffset(log) };
      },
    }),
  ];
}
