/** An open connection and the user behind it, as `GET /sessions` shows it. Times are epoch milliseconds. */
export interface Session {
  readonly connectionId: string;
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
  /** The topics that the session is subscribed to. */
  readonly topics: readonly string[];
  readonly sourceIp: string;
  readonly userAgent: string;
}

/** A user with open sessions, as `GET /sessions?by=user` shows it. */
export interface OnlineUser {
  /** `<type>:<id>` */
  readonly user: string;
  /** How many are open. */
  readonly sessions: number;
  /** When the oldest of them connected, in epoch milliseconds. */
  readonly connectedAt: number;
}

/** The content of `refresh`. */
export interface Refresh {
  /** A new JWT of the same user. */
  readonly token: string;
}

/** The content of the ack of `refresh`. */
export interface Refreshed {
  /** When the session's rights end, in epoch milliseconds. */
  readonly tokenExpiresAt: number;
  /** The topics that the new token does not allow. Absent: there are none. */
  readonly unsubscribed?: readonly string[];
}
