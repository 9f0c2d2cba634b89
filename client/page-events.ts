/** What this client uses of the global object of a page; in a worker and in Node there is nothing of it. */
export interface Page {
  readonly window?: EventSource | undefined;
  readonly document?: (EventSource & { readonly visibilityState: string }) | undefined;
}

interface EventSource {
  readonly addEventListener: (
    type: string,
    listener: (event: { readonly type: string }) => void,
    options: { readonly signal: AbortSignal },
  ) => void;
}

/** The events that put a page to rest, by their names. */
export type PauseReason = 'offline' | 'freeze' | 'pagehide';

/**
 * Listens to what befalls the page: the network goes and comes, the page is frozen and resumed (Page Lifecycle), it
 * enters and leaves the back/forward cache, its tab is hidden and shown. Until the signal is aborted.
 */
export function listenToPage(
  { window, document }: Page,
  pause: (reason: PauseReason) => void,
  wake: () => void,
  leaving: { readonly signal: AbortSignal },
): void {
  let isOffline = false;

  function listen(source: EventSource | undefined, ...types: readonly string[]): void {
    for (const type of types) source?.addEventListener(type, onEvent, leaving);
  }
  function onEvent({ type }: { readonly type: string }): void {
    isOffline = type === 'offline' || (isOffline && type !== 'online');
    if (type === 'offline' || type === 'freeze' || type === 'pagehide') pause(type);
    else if (!isOffline && (type !== 'visibilitychange' || document?.visibilityState === 'visible')) wake();
  }

  listen(window, 'offline', 'online', 'pagehide', 'pageshow');
  listen(document, 'freeze', 'resume', 'visibilitychange');
}
