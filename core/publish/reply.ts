import type { Delivered, PublishRequest } from '../../protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { ConnectionsClient } from '../connections/client.ts';
import type { Deliver } from '../delivery/deliver.ts';
import { payloadsOf } from '../delivery/payloads.ts';
import type { Recipient } from '../sessions/items.ts';
import { publishSendingMs } from '../timing.ts';
import { deliveredOf, type Draft, messageOf, refuseTooLarge } from './message.ts';

/** Sends one message to a connection that is known to be open. It reads no index, which may not have it yet. */
export type Reply = (request: PublishRequest, to: Recipient, form?: Draft['form']) => Promise<Delivered>;

export interface ReplyOptions {
  readonly connections: Pick<ConnectionsClient, 'prepare'>;
  readonly deliver: Deliver;
  readonly clock: Pick<Clock, 'now' | 'newId'>;
}

export function createReply({ connections, deliver, clock }: ReplyOptions): Reply {
  return async (request, to, form) => {
    const messageId = clock.newId();
    const draft: Draft = { request, messageId, from: to.identity, form, durability: undefined };
    refuseTooLarge(draft);
    const message = messageOf(draft);
    const payloads = payloadsOf(connections, message);
    return deliveredOf(message, await deliver([to], payloads, clock.now() + publishSendingMs));
  };
}
