import type { Lost } from './channels/channels.ts';
import type { SwitchboardError } from './errors.ts';
import type { Frame } from './frames.ts';
import type { Inbox } from './inbox.ts';
import type { Status } from './status.ts';

/** The contents of incoming messages, by type. The default allows every type, with any content. */
export type AnyMessages = Record<string, unknown>;

/** The requests, by type: the content that is sent, and the content of the answer. */
export type AnyRequests = Record<string, Exchange>;

export interface Exchange {
  readonly content: unknown;
  readonly answer: unknown;
}

/** The client's own events. A message whose type is one of these names reaches only `*` and topic handlers. */
export interface Events {
  status: (status: Status) => void;
  /** Durable messages are missing and cannot be recovered: read the application's state again. */
  lost: (lost: Lost) => void;
  /** An error that no promise reports, such as a refused subscription or a failed refresh. */
  error: (error: SwitchboardError) => void;
  /** Every message, of any type. */
  '*': (content: unknown, frame: Frame) => void;
}

export type EventName<Messages> = keyof Events | (keyof Messages & string);

export type Handler<Messages, Name> = Name extends keyof Events
  ? Events[Name]
  : Name extends keyof Messages
    ? (content: Messages[Name], frame: Frame<Messages[Name]>) => void
    : never;

/** The content may be left out if its type allows `undefined`. */
export type SendArguments<Content> = undefined extends Content ? [content?: Content] : [content: Content];

export interface Unsubscribe {
  (): void;
  /** Resolves when the server accepts the subscription. Rejects if it refuses, or if the subscription ends first. */
  readonly ready: Promise<void>;
}

/** The contents of a topic's messages, for one `for await` loop. Leaving the loop unsubscribes. */
export interface Subscription<Content> extends AsyncIterable<Content> {
  readonly unsubscribe: () => void;
  readonly ready: Promise<void>;
}

export interface Client<
  Messages extends object = AnyMessages,
  Requests extends { [Type in keyof Requests]: Exchange } = AnyRequests,
> {
  readonly status: Status;
  readonly inbox: Inbox;
  /** Returns a function that removes the handler. */
  on<Name extends EventName<Messages>>(name: Name, handler: Handler<Messages, Name>): () => void;
  once<Name extends EventName<Messages>>(name: Name, handler: Handler<Messages, Name>): () => void;
  off<Name extends EventName<Messages>>(name: Name, handler: Handler<Messages, Name>): void;
  /** Resolves to the content of the ack. Rejects with a `SwitchboardError`. */
  send<Type extends keyof Requests & string>(
    type: Type,
    ...rest: SendArguments<Requests[Type]['content']>
  ): Promise<Requests[Type]['answer']>;
  /** The same as `send`, for callers that mainly want the answer. */
  request<Type extends keyof Requests & string>(
    type: Type,
    ...rest: SendArguments<Requests[Type]['content']>
  ): Promise<Requests[Type]['answer']>;
  subscribe(topic: string): Subscription<Messages[keyof Messages]>;
  subscribe(
    topic: string,
    handler: (content: Messages[keyof Messages], frame: Frame<Messages[keyof Messages]>) => void,
  ): Unsubscribe;
  /** Ends the client: waiting requests reject as `closed`, topic loops end. Resolves when the socket is closed. */
  close(): Promise<void>;
}
