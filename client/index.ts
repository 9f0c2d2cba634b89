export { connect } from './connect.ts';
export { type ClientErrorCode, SwitchboardError, type SwitchboardErrorCode } from './errors.ts';
export type { Lost } from './channels/channels.ts';
export type {
  AnyMessages,
  AnyRequests,
  Client,
  EventName,
  Events,
  Exchange,
  Handler,
  Subscription,
  Unsubscribe,
} from './client.ts';
export type { ChannelPosition, Frame, Position } from './frames.ts';
export type { Inbox, InboxPage, InboxRead } from './inbox.ts';
export type { ChannelPage, History } from '../protocol/messages/channels.ts';
export type { SocketClass, SocketLike } from './connection/connection.ts';
export type { Options } from './options.ts';
export type { Status } from './status.ts';
export type { TokenSource } from './connection/tokens.ts';
