import type { Listener } from '../dispatch/listener.ts';
import { demoMessageSend } from './demo-message-send.ts';

/** The listeners of all message types that clients may send. */
export const listeners: readonly Listener[] = [demoMessageSend];
