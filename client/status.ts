import type { SwitchboardError } from './errors.ts';

/** What the connection is doing. */
export type Status =
  | { readonly state: 'connecting' }
  /** Subscriptions and missed messages are restored; what waited has been sent. */
  | { readonly state: 'open' }
  | {
      readonly state: 'reconnecting';
      readonly reason: SwitchboardError;
      /** 0: under way. */
      readonly retryInMs: number;
    }
  /** The browser says that there is no network, or has put the page to rest; nothing is tried until it says more. */
  | { readonly state: 'paused'; readonly reason: SwitchboardError }
  | {
      readonly state: 'closed';
      readonly reason: SwitchboardError;
      /** True where the server or the token function said no: the same user would be refused again. */
      readonly final: boolean;
    };
