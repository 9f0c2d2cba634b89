import * as z from 'zod/mini';
import { maxHistoryMessages } from '../../protocol/index.ts';
import { readableChannel } from '../log/access.ts';
import { listMessages, oneStart } from '../log/list.ts';
import type { Logs } from '../log/log.ts';
import { defineProtocolListener, type Listener } from './listener.ts';

export interface HistoryParts {
  readonly logs: Pick<Logs, 'open'>;
}

/** With the rest of the answer, this stays below the limit of a frame. A larger message comes alone. */
const maxHistoryBytes = 120_000;

const limit = `must be 1 to ${maxHistoryMessages}`;

/** The frame `history`: a page of a channel's log, in its answer. */
export function createHistoryListener({ logs }: HistoryParts): Listener {
  return defineProtocolListener({
    type: 'history',
    content: z
      .object({
        channel: z.string(),
        before: z.optional(z.int().check(z.gte(1))),
        after: z.optional(z.int().check(z.gte(0))),
        limit: z._default(
          z.int().check(z.gte(1, limit), z.lte(maxHistoryMessages, limit)),
          maxHistoryMessages,
        ),
      })
      .check(oneStart),
    async handle({ content: { channel, before = Infinity, after, limit: most }, from, topics, contentAs }) {
      const reader = { identity: from, topics: topics.patterns };
      const { name } = readableChannel(channel, reader, 'content.channel');
      const log = await logs.open({ tenant: from.tenant, channel: name });
      const start = after === undefined ? { before } : { after };
      return listMessages(log, start, { limit: most, maxBytes: maxHistoryBytes, contentAs });
    },
  });
}
