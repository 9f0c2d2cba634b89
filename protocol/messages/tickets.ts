/** The answer of `POST /tickets`. */
export interface Ticket {
  /** Opens one connection, in place of a token. */
  readonly ticket: string;
  /** Seconds. */
  readonly expiresIn: number;
}
