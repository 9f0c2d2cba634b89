/** Whether a user is online, as a watcher is told. */
export interface PresenceOfUser {
  /** `<type>:<id>`, such as `member:1`. */
  readonly user: string;
  readonly online: boolean;
  /** When the user was last online, in epoch milliseconds: now, for who is online. `null`: it is not known. */
  readonly lastSeenAt: number | null;
}

/** The same, as `GET /presence` answers it. */
export interface UserPresence extends PresenceOfUser {
  /** The open sessions of the user. */
  readonly sessions: number;
}

/** Who is subscribed to a topic, in the ack of `watch`. */
export interface PresenceOfTopic {
  readonly topic: string;
  /** The sessions that are subscribed, or as many of them as were counted. */
  readonly sessions: number;
  /** The users behind them, sorted, at most 100. */
  readonly users: readonly { readonly user: string }[];
  /** There are more sessions, or users, than these. */
  readonly more?: true;
}

/** A page of the users of a topic, as `GET /presence` answers it. */
export interface TopicPresence {
  readonly topic: string;
  /** All sessions that are subscribed. */
  readonly sessions: number;
  /** The users of this page, each once, sorted. `sessions` counts those of the page. */
  readonly users: readonly UserPresence[];
  /** Absent at the end. */
  readonly cursor?: string;
}

/** The content of `watch` and `unwatch`, and of the ack of `unwatch`. */
export interface Watch {
  /** Users as `<type>:<id>`. */
  readonly users?: readonly string[];
  readonly topics?: readonly string[];
}

/** The content of the ack of `watch`. */
export interface Watching {
  readonly users: readonly PresenceOfUser[];
  readonly topics: readonly PresenceOfTopic[];
}

/** The content of a frame `presence`: a watched user came or went, or a user joined or left a watched topic. */
export type PresenceChange =
  PresenceOfUser | { readonly topic: string; readonly user: string; readonly joined: boolean };
