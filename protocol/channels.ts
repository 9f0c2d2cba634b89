import { type ErrorCode, Refusal } from './errors.ts';
import { parseTarget, type Target } from './targets.ts';

/** A place in the durable log of a channel: everything up to and with `offset` lies behind it. The first offset is 1. */
export interface Position {
  /** Which life of the log: a log that was lost or reset begins again at 1, under another epoch. */
  readonly epoch: string;
  readonly offset: number;
}

/** What `recover` and `subscribe` say of a channel. */
export interface Recovery extends Position {
  /** Everything up to `offset` that was asked for has been sent. `false`: some of it is not kept any more. */
  readonly recovered: boolean;
  /** Offsets on the way for which there is no message and never will be: their writers failed half-way. */
  readonly skipped?: readonly number[];
  /** The log goes on beyond `offset`: ask again from there. */
  readonly more?: true;
}

/** A page of a channel's log, as `GET /channels/{channel}/messages` shows it; `messages` holds frames. */
export interface ChannelPage {
  readonly messages: readonly unknown[];
  /** Empty where nothing durable was ever published on the channel. */
  readonly epoch: string;
  /** The offset of the newest message. */
  readonly head: number;
  /** Give it as `after` for the next page; absent on the last. */
  readonly next?: number;
}

/** Whatever a message can be published on and kept for: every target but a session. */
export type ChannelTarget = Exclude<Target, { readonly kind: 'session' }>;

const channelForms = 'user:<type>:<id>, type:<type>, topic:<name> or everyone';

/** Reads the name of a channel. `field` is what the caller calls it, for the refusal it may throw. */
export function parseChannel(text: string, field: string, code: ErrorCode = 'bad_request'): ChannelTarget {
  const target = parseTarget(text, field, code, channelForms);
  if (target.kind !== 'session') return target;
  const message = `must be ${channelForms}; a session keeps no log`;
  throw new Refusal(code, `${field}: ${message}`, [{ field, message }]);
}
