import type { Delivered, PublishRequest } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { Deliver } from '../delivery/deliver.ts';
import type { Recipient } from '../sessions/items.ts';
import { publishSendingMs } from '../timing.ts';
import { deliveredOf, type Draft, messageOf, refuseTooLarge } from './message.ts';

/** Sends one message to a connection that is known to be open. It reads no index, which may not have it yet. */
export type Reply = (request: PublishRequest, to: Recipient) => Promise<Delivered>;

export interface ReplyOptions {
  readonly connections: Pick<ConnectionsClient, 'prepare'>;
  readonly deliver: Deliver;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
}

export function createReply({ connections, deliver, clock }: ReplyOptions): Reply {
  return async (request, to) => {
    const draft: Draft = { request, messageId: clock.newId(), from: to.identity, durability: undefined };
    refuseTooLarge(draft);
    const message = messageOf(draft);
    const payload = connections.prepare(message.frame);
    return deliveredOf(message, await deliver([to], payload, clock.now() + publishSendingMs));
  };
}
