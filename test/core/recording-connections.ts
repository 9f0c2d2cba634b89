import type {
  ConnectionsClient,
  DisconnectOutcome,
  PostOutcome,
  ProbeOutcome,
} from '../../core/connections/client.ts';
import { postToAll } from '../../core/connections/post-all.ts';

/** One call to the client. `text` is the payload of a post. */
export type ConnectionsCall =
  | { readonly call: 'post'; readonly connectionId: string; readonly text: string }
  | { readonly call: 'disconnect' | 'probe'; readonly connectionId: string };

export interface RecordingConnections extends ConnectionsClient {
  readonly calls: readonly ConnectionsCall[];
  /** The frames posted to a connection, read as JSON. */
  framesTo(connectionId: string): unknown[];
}

export interface ConnectionsScript {
  readonly post?: (connectionId: string) => PostOutcome | Promise<PostOutcome>;
  readonly disconnect?: (connectionId: string) => DisconnectOutcome | Promise<DisconnectOutcome>;
  readonly probe?: (connectionId: string) => ProbeOutcome | Promise<ProbeOutcome>;
}

/** A connections client whose outcomes come from the test's script. Without one they are `sent`, `closed` and `connected`. */
export function createRecordingConnections(script: ConnectionsScript = {}): RecordingConnections {
  const calls: ConnectionsCall[] = [];

  const post: ConnectionsClient['post'] = async (connectionId, payload) => {
    calls.push({ call: 'post', connectionId, text: Buffer.from(payload.bytes).toString() });
    return (await script.post?.(connectionId)) ?? { outcome: 'sent' };
  };

  return {
    calls,
    framesTo: (connectionId) =>
      calls.flatMap((made): unknown[] =>
        made.call === 'post' && made.connectionId === connectionId ? [JSON.parse(made.text)] : [],
      ),
    prepare: (payload) => ({ bytes: Buffer.from(payload), hash: '' }),
    post,
    async disconnect(connectionId) {
      calls.push({ call: 'disconnect', connectionId });
      return (await script.disconnect?.(connectionId)) ?? { outcome: 'closed' };
    },
    async probe(connectionId) {
      calls.push({ call: 'probe', connectionId });
      return (await script.probe?.(connectionId)) ?? { outcome: 'connected' };
    },
    // The limits are left out, because they would follow the wall clock.
    postAll: (connectionIds, payload, { onOutcome } = {}) =>
      postToAll(
        connectionIds,
        (id) => post(id, typeof payload === 'function' ? payload(id) : payload),
        { ...(onOutcome && { onOutcome }) },
        () => 0,
      ),
    close: () => undefined,
  };
}

export const gone: PostOutcome = { outcome: 'gone' };
export const throttled = { outcome: 'throttled', requestId: undefined } as const;
export const failed = {
  outcome: 'failed',
  reason: 'service_error',
  isRetryable: true,
  requestId: undefined,
  cause: new Error('secret detail of the SDK'),
} as const;
