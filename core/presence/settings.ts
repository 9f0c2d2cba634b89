import * as z from 'zod/mini';

const settings = z.object({ queueUrl: z.string(), graceSeconds: z.number() });

export type PresenceSettings = Readonly<z.output<typeof settings>>;

/** Reads the settings from their JSON. Empty text: presence is off. */
export function readPresenceSettings(json: string): PresenceSettings | undefined {
  return json === '' ? undefined : z.parse(settings, JSON.parse(json));
}
