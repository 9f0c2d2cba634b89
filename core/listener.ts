/** The module that users import as `switchboard/listener`. */
export { defineListener } from './dispatch/define-listener.ts';
export type {
  Listener,
  ListenerContext,
  ListenerLog,
  ListenerPresence,
  ListenerSender,
  ListenerSession,
  OnlineSessions,
  SendOptions,
  TopicRights,
} from './dispatch/listener.ts';
export type { Requirements } from './dispatch/rights.ts';
export { defineTextListener } from './dispatch/text-listener.ts';
export type { TextListener, TextListenerContext } from './dispatch/text-listener.ts';
export type { ContentAs } from './content-form.ts';
export {
  type ErrorCode,
  type ErrorDetail,
  type Identity,
  matchesAny,
  type PublishAnswer,
  Refusal,
  type UserPresence,
} from '../protocol/index.ts';
