import * as z from 'zod/mini';
import { readJson } from '../json.ts';
import { defineChange, type Messages, type TableChange } from './define-change.ts';
import { outboxAttribute } from './outbox-item.ts';

const anyMessage = z.custom<Messages>();

/** The mapping of `PublishOnChange.outbox`. Other rows of the same table are none of the outbox. */
export default defineChange<TableChange>(({ kind, after }) => {
  const body = kind === 'insert' ? after[outboxAttribute] : undefined;
  return typeof body === 'string' ? readJson(anyMessage, body, 'The message of the outbox') : null;
});
