/** The audience of a publish, within one tenant. */
export type Target =
  | { readonly kind: 'session'; readonly connectionId: string }
  | { readonly kind: 'user'; readonly userType: string; readonly userId: string }
  | { readonly kind: 'type'; readonly userType: string }
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'everyone' };

/** A target that keeps a log of its durable messages: every target but a session. */
export type ChannelTarget = Exclude<Target, { readonly kind: 'session' }>;
