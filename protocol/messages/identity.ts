/** The user behind a session. A user id is unique only within its tenant and user type. */
export interface Identity {
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
}
