import { join } from 'node:path';
import type { Switchboard } from 'switchboard';
import { Chat } from './chat/chat.ts';
import { Pictures } from './pictures/pictures.ts';

/** The listeners of all examples. */
export const exampleListeners = join(import.meta.dirname, 'listeners.ts');

/** The claims that the listeners of the examples read. */
export const exampleClaims: readonly string[] = ['name'];

/** Makes what the listeners of the examples need: their tables, routes and grants. */
export function addExamples(realtime: Switchboard): void {
  new Chat(realtime, 'Chat', { realtime });
  new Pictures(realtime, 'Pictures', { realtime });
}
