import { createHistoryListener } from './history.ts';
import { createInboxListeners, type InboxParts } from './inbox.ts';
import type { Listener } from './listener.ts';
import { createRecoverListener, type RecoverParts } from './recover.ts';
import { createRefreshListener, type RefreshParts } from './refresh.ts';
import { createSubscribeListeners, type SubscribeParts } from './subscribe.ts';
import { createWatchListeners, type WatchParts } from './watch.ts';

export type ProtocolParts = InboxParts & RecoverParts & RefreshParts & SubscribeParts & WatchParts;

/** The listeners of the types that docs/protocol.md defines. */
export function createProtocolListeners(parts: ProtocolParts): readonly Listener[] {
  return [
    ...createSubscribeListeners(parts),
    createRecoverListener(parts),
    createRefreshListener(parts),
    createHistoryListener(parts),
    ...createInboxListeners(parts),
    ...createWatchListeners(parts),
  ];
}
