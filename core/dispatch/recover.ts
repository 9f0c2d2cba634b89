import * as z from 'zod/mini';
import { maxRecoveredChannels, type Recovery, Refusal } from '../../protocol/index.ts';
import { readableChannel } from '../log/access.ts';
import type { Recover } from '../log/recover.ts';
import type { WaitForIndex } from '../sessions/wait-for-index.ts';
import { defineProtocolListener, type Listener, requireSession } from './listener.ts';
import { messagesInField, positionFields, positionOf } from './position.ts';

const channelCount = `must hold at most ${maxRecoveredChannels} channels`;

export interface RecoverParts {
  readonly recover: Recover;
  readonly waitForIndex: WaitForIndex;
}

/** The frame `recover`: sends the missed messages of channels, and answers for each channel. */
export function createRecoverListener({ recover, waitForIndex }: RecoverParts): Listener {
  return defineProtocolListener({
    type: 'recover',
    content: z.object({
      channels: z
        .array(z.object({ channel: z.string(), ...positionFields }))
        .check(z.maxLength(maxRecoveredChannels, channelCount)),
      ...messagesInField,
    }),
    async handle({ content, from, topics, ...context }, isText) {
      const session = requireSession(context);
      const reader = { identity: from, topics: topics.patterns };
      const requests = content.channels.map(({ channel, ...fields }, index) => {
        const field = `content.channels[${index}]`;
        const { kind, name } = readableChannel(channel, reader, `${field}.channel`);
        return { kind, log: { tenant: from.tenant, channel: name }, from: positionOf(fields, field) };
      });
      refuseDuplicates(requests.map(({ log }) => log.channel));
      // Publishes to a type and to everyone find sessions by an index.
      const isIndexed = requests.some(({ kind }) => kind === 'type' || kind === 'everyone');
      if (isIndexed) await waitForIndex(from, session);
      const contentOf = (answers: readonly Recovery[]) => ({
        channels: answers.map((answer, index) => ({ channel: requests[index]?.log.channel, ...answer })),
      });
      const { contentAs } = context;
      const asking = { identity: from, connectionId: session.connectionId, contentAs };
      const ack = content.messagesIn && { contentOf, isText: isText || contentAs === 'text' };
      return contentOf(await recover(asking, requests, { ack, isExclusive: true }));
    },
  });
}

/** A channel that is named twice would be sent twice. `user` and the user's full channel are the same one. */
function refuseDuplicates(channels: readonly string[]): void {
  const index = channels.findIndex((channel, at) => channels.indexOf(channel) < at);
  if (index >= 0)
    throw Refusal.at('bad_content', `content.channels[${index}].channel`, 'is named twice in this frame');
}
