/** The module that users import as `switchboard/listener`. */
export {
  defineListener,
  type Listener,
  type ListenerContext,
  type ListenerSession,
  type SendOptions,
} from './dispatch/listener.ts';
export {
  type ErrorCode,
  type ErrorDetail,
  type Identity,
  type PublishAnswer,
  Refusal,
} from '../protocol/index.ts';
