import type { ConnectionsClient, Payload } from '../connections/client.ts';
import { type ContentAs, frameFor, type Outgoing } from '../content-form.ts';

/** The payload for a session that takes content in this form. */
export type PayloadFor = (as: ContentAs | undefined) => Payload;

/** Prepares each payload once, when the first session needs it. */
export function payloadsOf(connections: Pick<ConnectionsClient, 'prepare'>, outgoing: Outgoing): PayloadFor {
  const payloads = new Map<string, Payload>();
  const texts = new Map<ContentAs | undefined, string>();
  return (as) => {
    const text = texts.get(as) ?? frameFor(outgoing, as);
    texts.set(as, text);
    const payload = payloads.get(text) ?? connections.prepare(text);
    payloads.set(text, payload);
    return payload;
  };
}
