import { parseWith, protocolTypes, publishType, Refusal } from '../../protocol/index.ts';
import type { Listener } from './listener.ts';
import { isTextListener, type TextListener } from './text-listener.ts';

/**
 * The listeners of these modules: their default exports, by file. Throws an error that names the file and its fault.
 * The fault is in code, so the function does not start, and no single frame is to blame.
 */
export function readListeners(
  modules: Readonly<Record<string, unknown>>,
): readonly (Listener | TextListener)[] {
  const owners = new Map(protocolTypes.map((type) => [type, 'the protocol']));
  return Object.entries(modules).flatMap(([file, table]) => {
    if (!isTable(table)) {
      throw new Error(`${file}: the default export must be a list of listeners from defineListener.`);
    }
    for (const listener of table) {
      if (isTextListener(listener)) continue;
      const { type } = listener;
      const fault = faultOf(type);
      if (fault !== undefined)
        throw new Error(`${file}: a listener's ${fault}, but is ${JSON.stringify(type)}.`);
      const owner = owners.get(type);
      if (owner === file) throw new Error(`${file}: two listeners have the type ${JSON.stringify(type)}.`);
      if (owner !== undefined)
        throw new Error(`${file}: the type ${JSON.stringify(type)} belongs to ${owner}.`);
      owners.set(type, file);
    }
    return table;
  });
}

/** A type that no frame can have, or that only the server sends. */
function faultOf(type: string): string | undefined {
  try {
    parseWith(publishType, type, 'type', 'bad_request');
    return undefined;
  } catch (cause) {
    if (cause instanceof Refusal) return cause.message.replace(':', '');
    throw cause;
  }
}

function isTable(table: unknown): table is readonly (Listener | TextListener)[] {
  return Array.isArray(table) && table.every(isListener);
}

function isListener(entry: unknown): entry is Listener | TextListener {
  if (typeof entry !== 'object' || entry === null) return false;
  if (isTextListener(entry)) return typeof entry.handleText === 'function';
  return (
    'type' in entry &&
    typeof entry.type === 'string' &&
    'accept' in entry &&
    typeof entry.accept === 'function'
  );
}
