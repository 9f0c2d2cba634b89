import type { SwitchboardError } from './errors.ts';

/** The state of the client's connection. */
export type Status =
  | { readonly state: 'connecting' }
  /** Subscriptions and missed messages are restored. Waiting frames are sent. */
  | { readonly state: 'open' }
  | {
      readonly state: 'reconnecting';
      readonly reason: SwitchboardError;
      /** 0: an attempt is under way. */
      readonly retryInMs: number;
    }
  /** The browser reports no network, or has frozen or left the page. The client waits for the browser's next event. */
  | { readonly state: 'paused'; readonly reason: SwitchboardError }
  | {
      readonly state: 'closed';
      readonly reason: SwitchboardError;
      /** True if the server or the token function refused. The same user would be refused again. */
      readonly final: boolean;
    };
