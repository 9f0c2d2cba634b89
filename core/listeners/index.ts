import type { Listener } from '../dispatch/listener.ts';
import { demoMessageSend } from './demo-message-send.ts';

/** Every message type that clients may send, by its listener. */
export const listeners: readonly Listener[] = [demoMessageSend];
