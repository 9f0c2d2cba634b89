/** The parts of a page's global object that the client uses. Workers and Node have none of them. */
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

/** The names of the events that pause the client. */
export type PauseReason = 'offline' | 'freeze' | 'pagehide';

/**
 * Listens to the events of the page until the signal is aborted. The network goes and comes. The page is frozen and
 * resumed (Page Lifecycle). It enters and leaves the back/forward cache. Its tab is hidden and shown.
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
