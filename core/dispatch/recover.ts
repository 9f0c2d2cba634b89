import * as z from 'zod/mini';
import { maxRecoveredChannels, type Position, Refusal } from '../../protocol/index.ts';
import type { WaitForIndex } from '../sessions/wait-for-index.ts';
import { connectionOf, defineListener, type Listener } from './listener.ts';
import { channelFor } from '../log/access.ts';
import type { Recover } from '../log/recover.ts';

const channelCount = `must hold at most ${String(maxRecoveredChannels)} channels`;

/** Where a client says that it stands in a log. */
export const position = {
  epoch: z.optional(z.string()),
  offset: z.optional(z.int().check(z.gte(0))),
};

/** The position that the two fields give, none where both are missing. Throws a `bad_content` where they are no pair. */
export function positionOf(
  { epoch, offset }: { readonly epoch?: string | undefined; readonly offset?: number | undefined },
  field: string,
): Position | undefined {
  if (epoch === '') return { epoch, offset: 0 };
  if (epoch !== undefined && offset !== undefined) return { epoch, offset };
  if (epoch === offset) return undefined;
  const [missing, given] = epoch === undefined ? ['epoch', 'offset'] : ['offset', 'epoch'];
  const detail = { field: `${field}.${missing}`, message: `is required with ${given}` };
  throw new Refusal('bad_content', `${detail.field}: ${detail.message}`, [detail]);
}

/** The frame `recover`: what was missed on channels is sent, and then said what has become of each. */
export function createRecoverListener(recover: Recover, waitForIndex: WaitForIndex): Listener {
  return defineListener({
    type: 'recover',
    content: z.object({
      channels: z
        .array(z.object({ channel: z.string(), ...position }))
        .check(z.maxLength(maxRecoveredChannels, channelCount)),
    }),
    async handle({ content, from, ...context }) {
      const session = connectionOf(context);
      const asked = content.channels.map(({ channel, ...place }, index) => {
        const field = `content.channels[${String(index)}]`;
        const reader = { identity: from, topics: session.topics };
        const name = channelFor(channel, reader, `${field}.channel`);
        return { log: { tenant: from.tenant, channel: name }, from: positionOf(place, field) };
      });
      const isOfIndex = ({ log }: (typeof asked)[number]) => /^(type:|everyone$)/.test(log.channel);
      if (asked.some(isOfIndex)) await waitForIndex(from, session);
      const answers = await recover(session.connectionId, asked);
      return {
        channels: answers.map((answer, index) => ({ channel: asked[index]?.log.channel, ...answer })),
      };
    },
  });
}
