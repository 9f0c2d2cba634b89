/** An open connection and who is behind it, as `GET /sessions` shows it. Times are epoch milliseconds. */
export interface Session {
  readonly connectionId: string;
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  readonly connectedAt: number;
  readonly tokenExpiresAt: number;
  /** The topics it is subscribed to. */
  readonly topics: readonly string[];
  readonly sourceIp: string;
  readonly userAgent: string;
}
