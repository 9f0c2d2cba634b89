import { createListeners } from './create-listeners.ts';
import { waitersInTable } from './waiters.ts';

/** The last of them takes every bare text, so put this module after others with text listeners. */
export default createListeners(waitersInTable());
