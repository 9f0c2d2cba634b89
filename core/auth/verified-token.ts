import type { Identity } from '../../protocol/index.ts';
import type { ContentAs } from '../content-form.ts';

/** What a token allows. Each is a list of patterns, as `matchesAny` reads them. */
export interface Rights {
  /** The topics that the user may subscribe to. */
  readonly topics: readonly string[];
  /** The message types that the user may send. @default - every type that has a listener or a target */
  readonly send?: readonly string[] | undefined;
  /** The users and topics whose presence the user may watch. */
  readonly watch: readonly string[];
}

/** The claims that the setting `claims` names, as text. */
export type Claims = Readonly<Record<string, string>>;

/** What a token says that has been verified. Times are epoch milliseconds. */
export interface VerifiedToken {
  readonly identity: Identity;
  /** `undefined`: the token does not say when it was issued. */
  readonly issuedAt: number | undefined;
  readonly expiresAt: number;
  readonly rights: Rights;
  readonly claims: Claims;
  /** The form of content in every frame to its session. Absent: the session has none of its own. */
  readonly contentAs?: ContentAs | undefined;
}

export type TokenVerdict =
  | { readonly ok: true; readonly token: VerifiedToken }
  /** Why the token was refused, for the log only. It quotes no part of the token. */
  | { readonly ok: false; readonly reason: string };

/** Verifies a token. Rejects if that could not be done, which is no fault of the token. */
export type VerifyToken = (token: string) => Promise<TokenVerdict>;

/** Verifies where a token comes from. `claims` are not checked yet. Rejects as `VerifyToken` does. */
export type ReadToken = (
  token: string,
) => Promise<
  { readonly ok: true; readonly claims: object } | { readonly ok: false; readonly reason: string }
>;
