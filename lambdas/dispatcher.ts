import { setTimeout as wait } from 'node:timers/promises';
import { createWaitForIndex } from '../core/sessions/wait-for-index.ts';
import { createListChannel } from '../core/log/list.ts';
import { createDispatch } from '../core/dispatch/dispatch.ts';
import { createInboxListeners } from '../core/dispatch/inbox.ts';
import { listeners } from '../core/listeners/index.ts';
import { createRecover } from '../core/log/recover.ts';
import { createRecoverListener } from '../core/dispatch/recover.ts';
import { createRefreshListener } from '../core/dispatch/refresh.ts';
import { createTopicListeners } from '../core/dispatch/subscribe.ts';
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
    createRecoverListener(recover, createWaitForIndex({ ...parts, log, now: Date.now, wait })),
    createRefreshListener({ ...parts, verify: buildVerifier(environment), log }),
    ...createInboxListeners({ ...parts, listChannel: createListChannel(parts) }),
  ];
  return createDispatch({ ...parts, listeners: [...ofProtocol, ...listeners], log });
}
