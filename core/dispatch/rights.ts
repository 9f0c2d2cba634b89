import { matchesAny, protocolTypes, Refusal } from '../../protocol/index.ts';
import type { Claims, Rights } from '../auth/verified-token.ts';

/** The claims that a token must carry, each with the value or one of the values. */
export type Requirements = Readonly<Record<string, string | readonly string[]>>;

/** Bare text has no type. A token that limits the types allows it only by `*`. */
export const bareText = '';

interface Demanding {
  readonly type: string;
  readonly requires?: Requirements | undefined;
}

/** Refuses a frame that the token of its sender does not allow. The message names the type or the claim. */
export function refuseForbidden(
  { type, requires = {} }: Demanding,
  { rights: { send }, claims }: { readonly rights: Rights; readonly claims: Claims },
): void {
  if (send && !protocolTypes.includes(type) && !matchesAny(type, send)) {
    const what = type === bareText ? 'bare text' : JSON.stringify(type);
    throw Refusal.at('forbidden', 'type', `the token does not allow ${what}`);
  }
  for (const [claim, values] of Object.entries(requires)) {
    // The values stay unknown to clients: they are what an attacker would have to forge.
    if (!holds(claims, claim, values)) {
      const needed = JSON.stringify(claim);
      throw Refusal.at('forbidden', 'type', `the claim ${needed} of the token does not allow this type`);
    }
  }
}

function holds(claims: Claims, claim: string, values: string | readonly string[]): boolean {
  const carried = Object.hasOwn(claims, claim) ? valuesOf(claims[claim] ?? '') : [];
  return [values].flat().some((value) => carried.includes(value));
}

/** A claim that is a list is carried as the JSON text of the list. */
function valuesOf(claim: string): readonly string[] {
  if (!claim.startsWith('[')) return [claim];
  try {
    const list: unknown = JSON.parse(claim);
    return Array.isArray(list)
      ? list.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
      : [];
  } catch (cause) {
    if (cause instanceof SyntaxError) return [claim];
    throw cause;
  }
}
