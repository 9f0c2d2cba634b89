/** The module that users import as `switchboard/change`. */
export {
  type BusEvent,
  type ChangeMapping,
  defineChange,
  type Messages,
  type TableChange,
} from './changes/define-change.ts';
export { outboxItem, type OutboxItemOptions } from './changes/outbox-item.ts';
export { uuidOf as messageIdOf } from './uuid.ts';
export { type ErrorCode, type ErrorDetail, Refusal } from '../protocol/index.ts';
export type { OutgoingMessage } from '../publisher/publisher.ts';
