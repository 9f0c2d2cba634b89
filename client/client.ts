import type { Lost } from './channels.ts';
import type { SwitchboardError } from './errors.ts';
import type { Frame } from './frames.ts';
import type { Inbox } from './inbox.ts';
import type { Status } from './status.ts';

/** The contents of the messages that come, by type. Without a map of one's own every type comes, with any content. */
export type AnyMessages = Record<string, unknown>;

/** What is sent, by type: its content, and the content of the answer. */
export type AnyRequests = Record<string, Exchange>;

export interface Exchange {
  readonly content: unknown;
  readonly answer: unknown;
}

/** What else there is to listen to. Messages of these types are heard by `*` and by topic alone. */
export interface Events {
  status: (status: Status) => void;
  /** Durable messages are missing and will not come: read the state anew. */
  lost: (lost: Lost) => void;
  /** What went wrong with nobody waiting for it: a subscription refused, a token not refreshed. */
  error: (error: SwitchboardError) => void;
  /** Every message, whatever its type. */
  '*': (content: unknown, frame: Frame) => void;
}

export type EventName<Messages> = keyof Events | (keyof Messages & string);

export type Handler<Messages, Name> = Name extends keyof Events
  ? Events[Name]
  : Name extends keyof Messages
    ? (content: Messages[Name], frame: Frame<Messages[Name]>) => void
    : never;

/** The content may be left out where its type allows that. */
export type SendArguments<Content> = undefined extends Content ? [content?: Content] : [content: Content];

export interface Unsubscribe {
  (): void;
  /** Resolves when the server has taken the subscription; rejects where it refuses or the client is closed first. */
  readonly ready: Promise<void>;
}

/** The contents of a topic's messages, for one `for await` loop; leaving the loop unsubscribes. */
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
  /** Returns a function that ends the listening. */
  on<Name extends EventName<Messages>>(name: Name, handler: Handler<Messages, Name>): () => void;
  once<Name extends EventName<Messages>>(name: Name, handler: Handler<Messages, Name>): () => void;
  off<Name extends EventName<Messages>>(name: Name, handler: Handler<Messages, Name>): void;
  /** Resolves to the content of the ack; rejects with a `SwitchboardError`. */
  send<Type extends keyof Requests & string>(
    type: Type,
    ...rest: SendArguments<Requests[Type]['content']>
  ): Promise<Requests[Type]['answer']>;
  /** `send` by another name, for code that is there for the answer. */
  request<Type extends keyof Requests & string>(
    type: Type,
    ...rest: SendArguments<Requests[Type]['content']>
  ): Promise<Requests[Type]['answer']>;
  subscribe(topic: string): Subscription<Messages[keyof Messages]>;
  subscribe(
    topic: string,
    handler: (content: Messages[keyof Messages], frame: Frame<Messages[keyof Messages]>) => void,
  ): Unsubscribe;
  /** Ends everything: what waits is rejected as `closed`, loops over topics end. Resolves when the socket is closed. */
  close(): Promise<void>;
}
