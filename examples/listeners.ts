import chat from './chat/listeners.ts';
import demo from './demo/listeners.ts';
import pictures from './pictures/listeners.ts';

/** The listeners of all examples. The setting `examples` adds them to a stack. */
export default [...chat, ...demo, ...pictures];
