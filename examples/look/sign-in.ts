/** Who signs in, as far as a page may know: a server checks the token, the page only reads it. */
export interface SignedIn {
  readonly token: string;
  readonly tenant: string;
  readonly userType: string;
  readonly userId: string;
  readonly name: string;
}

const storageKey = 'switchboard-example-token';

/**
 * The user of the token in the page's address (`#token=…`), which a browser never sends to a server, or of the last token
 * in this tab. `undefined`: ask for one.
 */
export function signedIn(): SignedIn | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem(storageKey, given);
    // The token must not stay in the address: people copy addresses.
    history.replaceState(null, '', location.pathname + location.search);
  }
  return readToken(given ?? sessionStorage.getItem(storageKey) ?? '');
}

/** Keeps a token for this tab, and loads the page with it. Returns whether the text is a token. */
export function signIn(token: string): boolean {
  if (!readToken(token)) return false;
  sessionStorage.setItem(storageKey, token);
  location.reload();
  return true;
}

export function signOut(): void {
  sessionStorage.removeItem(storageKey);
  location.reload();
}

/** The address of the stack that serves this page. */
export const webSocketUrl = `${location.origin.replace(/^http/, 'ws')}/live`;

function readToken(token: string): SignedIn | undefined {
  const claims = readClaims(token.trim().split('.')[1] ?? '');
  if (claims?.sub === undefined) return undefined;
  const userId = text(claims.sub);
  return {
    token: token.trim(),
    tenant: text(claims.tenant ?? 'default'),
    userType: text(claims.userType ?? 'member'),
    userId,
    name: text(claims.name ?? userId),
  };
}

function readClaims(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    );
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    // `atob` throws a DOMException, `JSON.parse` a SyntaxError: the text is no token.
    if (cause instanceof DOMException || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function text(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
}
