import type { AnyMessages, AnyRequests, Client, Exchange } from './client.ts';
import { type Options, readOptions } from './options.ts';
import { openSession } from './session.ts';

/** Connects, and stays connected until `close()` or until the server says that it is over. */
export function connect<
  Messages extends object = AnyMessages,
  Requests extends { [Type in keyof Requests]: Exchange } = AnyRequests,
>(options: Options): Client<Messages, Requests> {
  // The maps are the caller's word on what the server sends and answers; nothing of them is left at run time.
  return openSession(readOptions(options)) as unknown as Client<Messages, Requests>;
}
