import * as z from 'zod/mini';
import { idOf } from './rules.ts';

const timeoutMs = z.int();

/** A function by its ARN, or an endpoint with the ARN of the secret that signs its posts. */
const target = z.union([
  z.object({ lambda: z.string(), timeoutMs }),
  z.object({ url: z.string(), secret: z.string(), timeoutMs }),
]);

const messageTargets = z.array(z.intersection(z.object({ pattern: z.string() }), target));

const eventBus = z.object({ eventBus: z.string() });

export type TargetSettings = z.output<typeof target>;

/** A target of the message types that the pattern matches. */
export type MessageTargetSettings = z.output<typeof messageTargets>[number];

/** An event bus of EventBridge, by its ARN. */
export type EventBusSettings = z.output<typeof eventBus>;

export type LifecycleTargetSettings = TargetSettings | EventBusSettings;

export function readMessageTargets(text: string): readonly MessageTargetSettings[] {
  return z.parse(messageTargets, JSON.parse(text));
}

export function readLifecycleTargets(text: string): readonly LifecycleTargetSettings[] {
  return z.parse(z.array(z.union([target, eventBus])), JSON.parse(text));
}

/** The name of a target in logs. The path and query of an address may hold what no log should. */
export function nameOf(settings: LifecycleTargetSettings): string {
  return 'url' in settings ? new URL(settings.url).host : idOf(settings);
}
