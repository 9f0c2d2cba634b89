import * as z from 'zod/mini';
import { type Position, Refusal } from '../../protocol/index.ts';

/** The fields by which a client gives its position in a log. */
export const positionFields = {
  epoch: z.optional(z.string()),
  offset: z.optional(z.int().check(z.gte(0))),
};

/** Where the client wants the messages after its positions. Without it, each is posted as a frame of its own. */
export const messagesInField = { messagesIn: z.optional(z.literal('ack', 'must be "ack"')) };

interface PositionFields {
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
}

/** The position that both fields give together; `undefined` if both are absent. Throws a `bad_content` for one alone. */
export function positionOf({ epoch, offset }: PositionFields, field: string): Position | undefined {
  if (epoch === '') return { epoch, offset: 0 };
  if (epoch !== undefined && offset !== undefined) return { epoch, offset };
  if (epoch === undefined && offset === undefined) return undefined;
  const [missing, given] = epoch === undefined ? ['epoch', 'offset'] : ['offset', 'epoch'];
  throw Refusal.at('bad_content', `${field}.${missing}`, `is required with ${given}`);
}
