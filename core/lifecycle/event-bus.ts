import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { LifecycleEvent } from './event.ts';

// The queue retries, with longer pauses.
const client = new EventBridgeClient({ maxAttempts: 1 });

const detailTypes = { connected: 'Session Connected', disconnected: 'Session Disconnected' };

/** Puts an event on a bus of EventBridge. */
export async function putEvent(
  EventBusName: string,
  event: LifecycleEvent,
  signal: AbortSignal,
): Promise<void> {
  const { Entries } = await client.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName,
          Source: 'switchboard',
          DetailType: detailTypes[event.kind],
          Detail: JSON.stringify(event),
        },
      ],
    }),
    { abortSignal: signal },
  );
  // A refused entry is part of a successful answer (PutEvents, Handling failures).
  const failed = Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
  if (failed) throw new Error(`The event bus refused the event: ${failed.ErrorCode}, ${failed.ErrorMessage}`);
}
