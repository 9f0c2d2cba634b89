import type { AnyMessages, AnyRequests, Client, Exchange } from './client.ts';
import { type Options, readOptions } from './options.ts';
import { openSession } from './session.ts';

/** Connects, and reconnects until `close()` or until the server ends the session for good. */
export function connect<
  Messages extends object = AnyMessages,
  Requests extends { [Type in keyof Requests]: Exchange } = AnyRequests,
>(options: Options): Client<Messages, Requests> {
  // The type maps are the caller's claim about the server. Nothing checks them at run time.
  return openSession(readOptions(options)) as unknown as Client<Messages, Requests>;
}
