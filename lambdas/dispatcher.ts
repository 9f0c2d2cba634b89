import { setTimeout as wait } from 'node:timers/promises';
import { createAwaitListing } from '../core/await-listing.ts';
import { createListChannel } from '../core/channel-listing.ts';
import { createDispatch } from '../core/dispatch.ts';
import { createInboxListeners } from '../core/inbox-listeners.ts';
import { listeners } from '../core/listeners/index.ts';
import { createRecover } from '../core/recover.ts';
import { createRecoverListener } from '../core/recover-listener.ts';
import { createRefreshListener } from '../core/refresh-listener.ts';
import { createTopicListeners } from '../core/topic-listeners.ts';
import type { FunctionEnvironments } from './environment.ts';
import { log } from './log.ts';
import type { buildSender } from './sender.ts';
import { buildVerifier } from './verifier.ts';

/** Every type that clients may send: those of the protocol, and those of core/listeners. */
export function buildDispatch(
  parts: ReturnType<typeof buildSender>,
  environment: FunctionEnvironments['message'],
) {
  const recover = createRecover({ ...parts, now: Date.now });
  const ofProtocol = [
    ...createTopicListeners(parts.subscriptions, recover),
    createRecoverListener(recover, createAwaitListing({ ...parts, log, now: Date.now, wait })),
    createRefreshListener({ ...parts, verify: buildVerifier(environment), log }),
    ...createInboxListeners({ ...parts, listChannel: createListChannel(parts) }),
  ];
  return createDispatch({ ...parts, listeners: [...ofProtocol, ...listeners], log });
}
