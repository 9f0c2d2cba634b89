import type { Claims, Rights } from '../auth/verified-token.ts';
import type { SessionRow } from './items.ts';

/** What a token allows its session, and what it tells listeners about the user. */
export interface Grants {
  readonly rights: Rights;
  readonly claims: Claims;
}

/** As the row of a session keeps them: one text, so that a condition can compare it. */
export function writeGrants({ rights, claims }: Grants): string {
  return JSON.stringify({ rights, claims });
}

/** The grants of the last refresh. `undefined`: those of the handshake, which the authorizer's context carries. */
export function grantsOf({ grants }: SessionRow): Grants | undefined {
  return grants === undefined ? undefined : (JSON.parse(grants) as Grants);
}

/** For a condition: the row still has the grants that were read with it. */
export function unchangedGrants({ grants }: SessionRow) {
  return grants === undefined
    ? { condition: 'attribute_not_exists(grants)', values: {} }
    : { condition: 'grants = :grants', values: { ':grants': grants } };
}
